import { MapTransformation } from './map-transformation.ts';

/** A map whose function takes the two halves of each record as arguments: what the function of a join is. */
export class PairMapTransformation extends MapTransformation {}
