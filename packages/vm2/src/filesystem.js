'use strict';
const fs = require('fs');
const path = require('path');

/** From where modules are read, as `require.fs` of a NodeVM. */
class VMFileSystem {
  constructor({ fs: files = fs, path: paths = path } = {}) {
    this.fs = files;
    this.path = paths;
  }

  resolve(...all) { return this.path.resolve(...all); }
  isSeparator(it) { return it === '/' || it === this.path.sep; }
  isAbsolute(it) { return this.path.isAbsolute(it); }
  join(...all) { return this.path.join(...all); }
  basename(it) { return this.path.basename(it); }
  dirname(it) { return this.path.dirname(it); }
  statSync(it, options) { return this.fs.statSync(it, options); }
  readFileSync(it, options) { return this.fs.readFileSync(it, options); }
}

module.exports = { VMFileSystem };
