import { expect, test } from 'vitest'
import type { Series } from './api'
import { crossedBorders, flagCounts, linesOf } from './chart'

const series = (items: object[], step = 'day') => ({ step, items }) as unknown as Series

test('a gap in time stays a gap in the line', () => {
  const [line] = linesOf(
    series([
      { time: '2026-01-01T00:00:00Z', mean: 1, min: 0, max: 2 },
      { time: '2026-01-09T00:00:00Z', mean: 3, min: 2, max: 4 },
    ]),
  )
  expect(line?.mean).toEqual([1, null, 3])
})

test('depths become lines of their own', () => {
  const lines = linesOf(
    series([
      { time: '2026-01-01T00:00:00Z', depth_m: 0.4, mean: 1 },
      { time: '2026-01-01T00:00:00Z', depth_m: 0.2, mean: 2 },
    ]),
  )
  expect(lines.map((line) => line.depth)).toEqual([0.2, 0.4])
})

test('a flagged reading is kept apart from the mean; a note on time is not a flag', () => {
  const [line] = linesOf(
    series(
      [
        { time: '2026-01-01T00:00:00Z', value: 9, flags: ['C02'] },
        { time: '2026-01-01T01:00:00Z', value: 1, flags: ['T'] },
      ],
      'raw',
    ),
  )
  expect(line?.mean).toEqual([null, 1])
  expect(line?.flagged).toEqual([9, null])
})

test('flags of raw readings are counted', () => {
  const items = [{ flags: ['C02', 'S'] }, { flags: [] }, { flags: ['S'] }, { mean: 1 }]
  expect(flagCounts(series(items))).toEqual([
    ['C02', 1],
    ['S', 2],
  ])
})

test('a border of what is usual is drawn where it is crossed', () => {
  const [line] = linesOf(
    series([
      { time: '2026-01-01T00:00:00Z', mean: 0.3 },
      { time: '2026-01-02T00:00:00Z', mean: 0.7 },
    ]),
  )
  if (!line) throw new Error('no line')
  expect(crossedBorders(line, [0.02, 0.6])).toEqual([0.6])
  expect(crossedBorders(line, [0.02, 0.8])).toEqual([])
  expect(crossedBorders(line, null)).toEqual([])
})
