import type { PlanDescription } from '../../transformations/plan-description.ts';

/** How large each stage is drawn, in pixels. */
export interface BoxSize {
  readonly width: number;
  readonly height: number;
}

/** A stage in the picture: its upper left corner and its size. */
export interface Box extends BoxSize {
  readonly x: number;
  readonly y: number;
}

/** A point in the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where everything is drawn. */
export interface PlanLayout extends BoxSize {
  /** By stage id. */
  readonly boxes: readonly Box[];
  /** By exchange id: from the lower edge of a stage, between the boxes of the layers that it passes, to the upper edge of another. */
  readonly routes: readonly (readonly Point[])[];
}

/** A place in a layer: a stage, or a gap through which an exchange passes that goes further down. */
interface Slot extends BoxSize {
  readonly stage: number | undefined;
  /** Slots of the layer above that lead here. */
  readonly above: Slot[];
  x: number;
}

const MARGIN = 24;
const GAP_X = 40;
/** Between layers, where the exchanges bend and their labels stand. */
const GAP_Y = 64;
/** Width of the lane of a way back, and how far it goes below and above its stages. */
const LANE = 96;
const BEND = 20;
const PASSAGE: BoxSize = { width: 24, height: 0 };

/**
 * Lays out a plan in layers: every stage is below all stages that it takes records from. Exchanges that skip layers get a
 * passage in each, so that no line crosses a box; within a layer everything stands below what leads to it.
 */
export function layOutPlan({ stages, exchanges }: PlanDescription, sizeOf: (stage: number) => BoxSize): PlanLayout {
  const forward = exchanges.filter(({ feedback }) => feedback === null);
  const depth = depths(stages.length, forward);
  const layers: Slot[][] = Array.from({ length: Math.max(0, ...depth) + 1 }, () => []);
  const slots = stages.map(({ id }) => addSlot(layers[depth[id]!]!, id, sizeOf(id)));
  const passages = exchanges.map(({ from, to, feedback }) => {
    if (feedback !== null) return [];
    const way = [slots[from.stage]!];
    for (let layer = depth[from.stage]! + 1; layer < depth[to.stage]!; layer++) way.push(addSlot(layers[layer]!, undefined, PASSAGE));
    way.push(slots[to.stage]!);
    for (const [n, slot] of way.slice(1).entries()) slot.above.push(way[n]!);
    return way.slice(1, -1);
  });
  const tops = placeLayers(layers);
  const boxes = slots.map(({ x, width, height }, stage) => ({ x, y: tops[depth[stage]!]!, width, height }));
  const right = Math.max(0, ...layers.flat().map(({ x, width }) => x + width));
  // Each way back has a lane of its own to the right of everything.
  const lanes = new Map(exchanges.filter(({ feedback }) => feedback !== null).map(({ id }, lane) => [id, right + (lane + 1) * LANE]));
  return {
    boxes,
    routes: exchanges.map(({ id, from, to }, n) => lanes.has(id) ? wayBack(boxes[from.stage]!, boxes[to.stage]!, lanes.get(id)!) : [
      // Straight to the lower end of the layer, past its higher boxes.
      ...[boxes[from.stage]!.y + boxes[from.stage]!.height, tops[depth[from.stage]! + 1]! - GAP_Y].map((y) => ({ x: centre(slots[from.stage]!), y })),
      ...passages[n]!.flatMap((slot, step) => {
        const layer = depth[from.stage]! + 1 + step;
        return [tops[layer]!, tops[layer + 1]! - GAP_Y].map((y) => ({ x: centre(slot), y }));
      }),
      { x: centre(slots[to.stage]!), y: boxes[to.stage]!.y },
    ]),
    width: right + lanes.size * LANE + MARGIN,
    height: Math.max(0, ...boxes.map(({ y, height }) => y + height)) + MARGIN + (lanes.size > 0 ? BEND : 0),
  };
}

/** From below a stage around the right side to above another one, or itself. */
function wayBack(from: Box, to: Box, lane: number): Point[] {
  const end = { x: to.x + (to.width * 3) / 4, y: to.y };
  return [
    { x: from.x + (from.width * 3) / 4, y: from.y + from.height },
    { x: lane, y: from.y + from.height + BEND },
    { x: lane, y: to.y - BEND },
    end,
  ];
}

/** Of each stage the longest way from a source; the exchanges lead from earlier to later stages. */
function depths(stages: number, exchanges: PlanDescription['exchanges']): number[] {
  const depth = Array.from({ length: stages }, () => 0);
  for (let stage = 0; stage < stages; stage++) {
    for (const { from, to } of exchanges) if (from.stage === stage) depth[to.stage] = Math.max(depth[to.stage]!, depth[stage]! + 1);
  }
  return depth;
}

function addSlot(layer: Slot[], stage: number | undefined, { width, height }: BoxSize): Slot {
  const slot = { stage, width, height, above: [], x: 0 };
  layer.push(slot);
  return slot;
}

/** Gives every slot its x and every layer its y. */
function placeLayers(layers: readonly Slot[][]): number[] {
  const widths = layers.map((layer) => layer.reduce((sum, { width }) => sum + width, GAP_X * (layer.length - 1)));
  const widest = Math.max(...widths);
  const tops: number[] = [];
  let y = MARGIN;
  for (const [n, layer] of layers.entries()) {
    layer.sort((a, b) => wanted(a) - wanted(b));
    let x = MARGIN + (widest - widths[n]!) / 2;
    for (const slot of layer) {
      slot.x = x;
      x += slot.width + GAP_X;
    }
    tops.push(y);
    y += Math.max(...layer.map(({ height }) => height)) + GAP_Y;
  }
  return tops;
}

/** The middle of what leads here. */
function wanted({ above }: Slot): number {
  return above.length === 0 ? 0 : above.reduce((sum, slot) => sum + centre(slot), 0) / above.length;
}

function centre({ x, width }: Slot): number {
  return x + width / 2;
}
