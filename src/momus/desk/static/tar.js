// A folder as one file to send: tar, as the server reads it.

const BLOCK = 512;
const DATA = /\.(jsonl|ndjson|json|csv|tsv|parquet|arrow)$/i;

/** @param {File[]} files of a folder that was chosen @returns {Promise<Blob>} */
export async function tarOf(files) {
  /** @type {BlobPart[]} */
  const parts = [];
  for (const file of files.filter((one) => DATA.test(one.name))) {
    const rest = (BLOCK - (file.size % BLOCK)) % BLOCK;
    parts.push(header(file.webkitRelativePath || file.name, file.size), file, new Uint8Array(rest));
  }
  return new Blob([...parts, new Uint8Array(2 * BLOCK)]);
}

/** The block before a file (POSIX ustar). A name that is too long is cut at its beginning. @param {string} name @param {number} size */
function header(name, size) {
  const block = new Uint8Array(BLOCK);
  const put = (/** @type {string | Uint8Array} */ value, /** @type {number} */ at) => block.set(typeof value === "string" ? new TextEncoder().encode(value) : value, at);
  put(new TextEncoder().encode(name).slice(-100), 0);
  put("0000644\0", 100);
  put("0000000\0", 108);
  put("0000000\0", 116);
  put(`${size.toString(8).padStart(11, "0")}\0`, 124);
  put("00000000000\0", 136);
  put("        ", 148);
  put("0", 156);
  put("ustar\x0000", 257);
  put(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
