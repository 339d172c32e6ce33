'use strict';
const { VM } = require('./vm.js');
const { NodeVM, Resolver } = require('./nodevm.js');
const { VMScript } = require('./script.js');
const { VMError } = require('./errors.js');
const { defaults } = require('./options.js');
const { VMFileSystem } = require('./filesystem.js');
const { makeResolverFromLegacyOptions } = require('./resolver.js');

// As with vm2, whose NodeVM is a VM.
Object.defineProperty(VM, Symbol.hasInstance, { value(it) { return Function.prototype[Symbol.hasInstance].call(this, it) || (this === VM && it instanceof NodeVM); } });

module.exports = { VMError, VMScript, NodeVM, VM, VMFileSystem, Resolver, makeResolverFromLegacyOptions, defaults };
