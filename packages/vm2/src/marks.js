// Objects of the program's whose copies in sandboxes are not as others.
'use strict';

module.exports = {
  frozen: new WeakSet(), // nobody changes them (VM.freeze, VM.readonly)
  kept: new WeakSet(), // nobody puts functions into them (VM.protect)
};
