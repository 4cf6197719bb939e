/** A program that prints more than fits into a pipe, and then fails. */
console.log('x'.repeat(2_000_000));
console.log('last');
throw new TypeError('the program itself is broken');
