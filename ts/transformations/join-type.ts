/**
 * Which records of two sides a join gives though they have no partner: those of neither side (`inner`), of the left or the right
 * one, or of both (`full`).
 */
export type JoinType = 'inner' | 'left' | 'right' | 'full';

/** Whether records of the left side are given without a partner. */
export function keepsLeft(type: JoinType): boolean {
  return type === 'left' || type === 'full';
}

/** Whether records of the right side are given without a partner. */
export function keepsRight(type: JoinType): boolean {
  return type === 'right' || type === 'full';
}
