'use strict';
const { VM } = require('./vm.js');
const { NodeVM, Resolver } = require('./nodevm.js');
const { VMScript } = require('./script.js');
const { VMError } = require('./errors.js');
const { defaults } = require('./options.js');
const { VMFileSystem } = require('./filesystem.js');
const { makeResolverFromLegacyOptions } = require('./resolver.js');

module.exports = { VMError, VMScript, NodeVM, VM, VMFileSystem, Resolver, makeResolverFromLegacyOptions, defaults };
