/**
 * A schema at the edge: lines of text become typed records behind zod, and what does not match is put aside. Then rain per month.
 *
 *     node examples/weather-schema/main.ts
 *
 * Reads `seattle-weather.csv` of `vega-datasets`, to whose four years it adds two bad days.
 */
import { FileSource, LocalEnvironment, avg, count, sum } from 'sage-kernel';
import * as z from 'zod';

import { vegaDataset } from '../vega-dataset.ts';

const Day = z.object({
  date: z.iso.date(),
  /** Millimetres. */
  precipitation: z.coerce.number().min(0),
  /** Degrees Celsius. */
  warmest: z.coerce.number().min(-60).max(60),
  weather: z.enum(['drizzle', 'fog', 'rain', 'snow', 'sun']),
});

const env = new LocalEnvironment('weather');

const lines = env
  .fromSource(FileSource.textLines(vegaDataset('seattle-weather.csv')))
  .filter((line) => !line.startsWith('date,'))
  .union(env.fromCollection(['2016-02-30,0.0,8.0,1.0,2.0,sun', '2016-03-01,-1,8.0,1.0,2.0,frogs']));

const days = lines
  .map((line) => {
    const [date, precipitation, warmest, , , weather] = line.split(',');
    return { date, precipitation, warmest, weather };
  })
  .validate(Day)
  .onError('deadLetter');

days.deadLetters<{ date: string }>().sink(({ record, error }) => console.log(`left out ${record.date}: ${error.code}`));

const months: { key: string; days: number; rain: number; mean: number | null }[] = [];
days
  .keyBy((day) => day.date.slice(5, 7))
  .aggregate({ days: count(), rain: sum('precipitation'), mean: avg('warmest') })
  .sink(months);

await env.submit({ autostop: true });
for (const { key, days, rain, mean } of months.toSorted((a, b) => a.key.localeCompare(b.key))) {
  console.log(`month ${key}: ${days} days, ${rain.toFixed(1)} mm, ${mean?.toFixed(1)} degrees`);
}
