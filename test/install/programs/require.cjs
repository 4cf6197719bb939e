const { LocalEnvironment, sum } = require('sage-kernel');

async function main() {
  const env = new LocalEnvironment('require', { parallelism: 2 });
  const totals = [];
  env
    .fromCollection([1, 2, 3, 4])
    .map((n) => ({ n }))
    .keyBy(({ n }) => n % 2)
    .aggregate({ total: sum('n') })
    .sink(totals);
  const { isolates } = await env.submit({ autostop: true });
  console.log(JSON.stringify({ totals: totals.sort((a, b) => a.key - b.key), isolates }));
}

void main();
