import { expect, test } from 'vitest'
import type { RankedLine } from './api'
import { byCrop } from './ranking'

const line = (crop: string, variety: string | null) =>
  ({ crop, variety, crop_name: { zh: crop, en: crop }, limiting_factor: 'drainage' }) as RankedLine

test('crops keep the order of their best line and varieties their rank', () => {
  const crops = byCrop([line('sweet_potato', 'a'), line('maize', null), line('sweet_potato', 'b')])
  expect(crops.map((crop) => crop.crop)).toEqual(['sweet_potato', 'maize'])
  expect(crops[0]?.lines.map((line) => line.variety)).toEqual(['a', 'b'])
})
