'use strict';
module.exports = function makeNode() { return null; };
