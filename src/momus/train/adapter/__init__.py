"""An adapter with which a local model scans better: it is taught to copy code and to correct it while it copies."""
