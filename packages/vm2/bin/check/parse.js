// JavaScript as a tree, and of TypeScript what is left without its types. Each character stays where it is, so that places are right.
'use strict';
const acorn = require('acorn');

const HOW = { ecmaVersion: 'latest', locations: true, allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true, allowHashBang: true, allowImportExportEverywhere: true, allowSuperOutsideMethod: true };
const blank = (text) => text.replace(/[^\n]/g, ' ');

/** Types as most programs write them. What it does not know stays, and the parser says so. */
function stripped(source) {
  const { stripTypeScriptTypes } = require('module');
  const text = source.replace(/^([ \t]*)import(\s+\w+\s*=\s*require\b)/gm, '$1const $2');
  if (typeof stripTypeScriptTypes === 'function') {
    try {
      return stripTypeScriptTypes(text);
    } catch {
      // enums and the like: below it is tried without
    }
  }
  const TYPE = String.raw`(?:readonly\s+)?[A-Za-z_$][\w$.]*(?:<[^<>()=;{}]*(?:<[^<>()=;{}]*>)?[^<>()=;{}]*>)?(?:\[\])*`, TYPES = String.raw`${TYPE}(?:\s*[|&]\s*${TYPE})*`;
  return text
    .replace(/^[ \t]*(?:import|export)\s+type\s[^;]*?(?:from\s*['"][^'"\n]*['"]|\{[^}]*\})?;?[ \t]*$/gm, blank)
    .replace(/^[ \t]*(?:export\s+)?(?:declare\s+)?interface\s+\w[^{]*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/gm, blank)
    .replace(/^[ \t]*(?:export\s+)?(?:declare\s+)?type\s+\w[^=\n]*=[^;]*;/gm, blank)
    .replace(/\b(?:public|private|protected|readonly|declare|abstract)\s+(?=[\w#]+)/g, blank)
    .replace(new RegExp(String.raw`\bimplements\s+${TYPE}`, 'g'), blank)
    .replace(new RegExp(String.raw`\s+as\s+${TYPES}(?=\s*[;,)\].\n])`, 'g'), blank)
    .replace(new RegExp(String.raw`(?<=\b(?:const|let|var)\s+\w+)\s*:\s*${TYPES}(?=\s*[=;])`, 'g'), blank)
    .replace(new RegExp(String.raw`(?<=[(,]\s*\w+)\??\s*:\s*${TYPES}(?=\s*[,)=])`, 'g'), blank)
    .replace(new RegExp(String.raw`(?<=\))\s*:\s*${TYPES}(?=\s*(?:\{|=>))`, 'g'), blank)
    .replace(/(?<=[\w)\]])!(?=[.;,)[])/g, ' ');
}

/** -> the tree; throws where it cannot be read. */
function parse(source, typescript) {
  const text = typescript ? stripped(source) : source;
  try {
    return acorn.parse(text, { ...HOW, sourceType: 'module' });
  } catch (problem) {
    try {
      return acorn.parse(text, { ...HOW, sourceType: 'script' });
    } catch {
      throw problem;
    }
  }
}

module.exports = { parse };
