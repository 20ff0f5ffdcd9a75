"""Files that others wrote, row by row: which column is what, what is wrong with a row, and the record that it makes."""
