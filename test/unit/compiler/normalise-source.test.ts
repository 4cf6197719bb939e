import { expect, test } from 'vitest';
import { normaliseSource } from '../../../ts/compiler/fingerprint/normalise-source.ts';

test.each([
  ['blanks and line ends', '( a ) =>  {\n\treturn a +  1 ;\n}', '(a)=>{return a+1;}'],
  ['comments', 'x => /* twice */ x * 2 // of course', 'x=>x*2'],
  ['words stay apart', 'async   function  f ( ) { return  typeof x in y }', 'async function f(){return typeof x in y}'],
  ['signs stay apart', 'a + +b - -c', 'a+ +b- -c'],
  ['a comment between words is a blank', 'return/* */x', 'return x'],
  ['strings are kept', `f( "a  // b" , 'it''s /* not */' )`, `f("a  // b",'it''s /* not */')`],
  ['escapes in strings', String.raw`f( "\"  // x" )`, String.raw`f("\"  // x")`],
  ['templates are kept, with their code', '`a  ${ f( `b  }` ) }  // c` + 1', '`a  ${ f( `b  }` ) }  // c`+1'],
  ['regular expressions are kept', String.raw`s.replace( /\/\/  [/"] /g , '' )`, String.raw`s.replace(/\/\/  [/"] /g,'')`],
  ['divisions are no regular expressions', 'a / b // c\n / d', 'a/b/d'],
  ['a regular expression after a word', 'return  / x/.test(y)', 'return/ x/.test(y)'],
])('%s', (_what, source, expected) => {
  expect(normaliseSource(source)).toBe(expected);
});

test('normal text is normal', () => {
  const source = normaliseSource(normaliseSource.toString());

  expect(normaliseSource(source)).toBe(source);
});
