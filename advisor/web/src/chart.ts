/** A series of the API as lines that a chart draws: one a depth, gaps kept as gaps. */

import type { Series } from './api'

export interface Line {
  depth: number | null
  /** Seconds since 1970, rising. */
  times: number[]
  mean: (number | null)[]
  min: (number | null)[]
  max: (number | null)[]
  /** Values of flagged raw readings; null elsewhere. */
  flagged: (number | null)[]
}

const STEP_S = { raw: 6 * 3600, hour: 3600, day: 86_400 } as const

export function linesOf(series: Series): Line[] {
  const lines = new Map<number | null, Line>()
  for (const point of series.items) {
    const depth = point.depth_m ?? null
    let line = lines.get(depth)
    if (!line) {
      line = { depth, times: [], mean: [], min: [], max: [], flagged: [] }
      lines.set(depth, line)
    }
    const time = Date.parse(point.time) / 1000
    const last = line.times.at(-1)
    // A hole wider than two steps is shown as a hole, never bridged by a line.
    if (last !== undefined && time - last > 2 * STEP_S[series.step]) push(line, (last + time) / 2)
    const isFlagged = (point.flags ?? []).some((flag) => flag !== 'T')
    if (point.value !== undefined && point.value !== null) {
      const value = point.value
      push(line, time, isFlagged ? {} : { mean: value }, isFlagged ? value : null)
    } else {
      push(line, time, { mean: point.mean, min: point.min, max: point.max })
    }
  }
  return [...lines.values()].sort((a, b) => (a.depth ?? -1) - (b.depth ?? -1))
}

/** How many raw readings carry each flag, in the order of first sight; hours and days name none. */
export function flagCounts(series: Series): [string, number][] {
  const counts = new Map<string, number>()
  for (const point of series.items) {
    for (const flag of point.flags ?? []) counts.set(flag, (counts.get(flag) ?? 0) + 1)
  }
  return [...counts]
}

/** The borders of what is usual that a line's values cross; the others would only flatten it. */
export function crossedBorders(line: Line, range: [number, number] | null): number[] {
  const values = [...line.mean, ...line.flagged].filter((value) => value !== null)
  if (!range || values.length === 0) return []
  const [low, high] = range
  return [
    ...(values.some((value) => value < low) ? [low] : []),
    ...(values.some((value) => value > high) ? [high] : []),
  ]
}

interface Statistics {
  mean?: number | null | undefined
  min?: number | null | undefined
  max?: number | null | undefined
}

function push(line: Line, time: number, values: Statistics = {}, flagged: number | null = null) {
  line.times.push(time)
  line.mean.push(values.mean ?? null)
  line.min.push(values.min ?? null)
  line.max.push(values.max ?? null)
  line.flagged.push(flagged)
}
