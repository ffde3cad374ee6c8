/** Colours of plots on the map. Each goes with a mark and a word: colour never stands alone. */

import type { PlotFeature } from './api'

export type ColourBy = 'crop' | 'suitability' | 'pollution'

export interface Shade {
  key: string
  fill: string
}

/** Distinct also for readers with red-green weakness (Okabe and Ito 2008, with three of ours). */
const CROP_FILLS = [
  '#e69f00',
  '#56b4e9',
  '#009e73',
  '#f0e442',
  '#0072b2',
  '#d55e00',
  '#cc79a7',
  '#7a5c9e',
  '#9a8b5f',
  '#5f7d2f',
]
const NONE = '#b9bdb3'
const CLASS_FILLS: Record<string, string> = {
  S1: '#1b7837',
  S2: '#7fbf7b',
  S3: '#e9d8a6',
  N: '#762a83',
}
const POLLUTION_FILLS: Record<string, string> = {
  below_screening: '#7fbf7b',
  between_screening_and_intervention: '#f0c05a',
  above_intervention: '#b2182b',
}

type Properties = PlotFeature['properties']

export function shadeKey(plot: Properties, by: ColourBy): string {
  if (by === 'pollution') return plot.pollution_class ?? 'unknown'
  if (plot.status && plot.status !== 'ranked') return plot.status
  const value = by === 'crop' ? plot.advised?.crop : plot.advised?.suitability
  return value ?? 'none'
}

/** One shade for each key that occurs; crops keep their colour while the set of crops is the same. */
export function shades(plots: Properties[], by: ColourBy): Map<string, Shade> {
  const keys = [...new Set(plots.map((plot) => shadeKey(plot, by)))].sort()
  let next = 0
  return new Map(
    keys.map((key) => {
      const fixed = by === 'suitability' ? CLASS_FILLS[key] : POLLUTION_FILLS[key]
      const open = ['none', 'unknown', 'measure_first', 'nothing_allowed'].includes(key)
      const fill = fixed ?? (open ? NONE : (CROP_FILLS[next++ % CROP_FILLS.length] ?? NONE))
      return [key, { key, fill }]
    }),
  )
}
