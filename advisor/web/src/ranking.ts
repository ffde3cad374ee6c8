/** Ranked lines grouped for the page: one card a crop, its varieties in rank order. */

import type { RankedLine } from './api'

export interface CropLines {
  crop: string
  name: RankedLine['crop_name']
  best: RankedLine
  lines: RankedLine[]
}

export function byCrop(ranked: RankedLine[]): CropLines[] {
  const crops = new Map<string, CropLines>()
  for (const line of ranked) {
    const known = crops.get(line.crop)
    if (known) known.lines.push(line)
    else {
      crops.set(line.crop, {
        crop: line.crop,
        name: line.crop_name,
        best: line,
        lines: [line],
      })
    }
  }
  return [...crops.values()]
}
