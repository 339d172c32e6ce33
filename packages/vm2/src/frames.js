// The frames between a program and its cell. The same file is used on both sides.
//
// A frame is a length, a letter that says what it is, a number of its own, the number of the guest that it is of, and its data:
//
//   the program says   B begin a guest   R run   Q do something else   A, X what a call gave, or threw   S a promise is settled   F what is of no more use   P answer this   E a guest is over
//   the cell says      a what came of it   b the same, and something goes on   x what was thrown   c call this   n this happened   s a promise is settled   f what is of no more use   d answered
//                      t what a promise had go on took too long   i nothing goes on any more
'use strict';

const HEAD = 13; // u32 length of the data, u8 letter, u32 number, u32 guest; little-endian
const letters = { __proto__: null };
for (const letter of 'BRQAXSFPEabxcnsftdi') letters[letter] = letter.charCodeAt(0);

/** Bytes of a frame; `before`: numbers of four bytes in front of the text. */
function make(Buffer, type, id, guest, text, before = []) {
  const at = HEAD + 4 * before.length, length = Buffer.byteLength(text), data = Buffer.allocUnsafe(at + length);
  data.writeUInt32LE(length + 4 * before.length, 0);
  data[4] = type;
  data.writeUInt32LE(id, 5);
  data.writeUInt32LE(guest, 9);
  for (let i = 0; i < before.length; i++) data.writeUInt32LE(before[i], HEAD + 4 * i);
  data.write(text, at);
  return data;
}

module.exports = { HEAD, letters, make };
