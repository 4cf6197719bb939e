/** Result of an airport. */
export interface Airport {
  readonly airport: string;
  readonly flights: number;
  readonly mean: number;
  readonly worst: number;
}

/** Result of a route. */
export interface Route {
  readonly route: string;
  readonly flights: number;
  readonly share: number;
}

/** Of both results, whatever their order: text, so that a difference can be read. */
export function flightsChecksum(airports: readonly Airport[], routes: readonly Route[]): string {
  const worst = airports.reduce((sum, airport) => sum + airport.worst, 0);
  const minutes = airports.reduce((sum, airport) => sum + Math.round(airport.mean * airport.flights), 0);
  const flights = airports.reduce((sum, airport) => sum + airport.flights, 0);
  const delayed = routes.reduce((sum, route) => sum + Math.round(route.share * route.flights), 0);
  const [first] = routes
    .filter((route) => route.flights >= 500)
    .toSorted((a, b) => b.share - a.share || (a.route < b.route ? -1 : 1));
  return `${airports.length} airports, ${flights} flights, ${minutes} min, worst ${worst}; ${routes.length} routes, ${delayed} delayed, first ${first?.route ?? 'none'}`;
}
