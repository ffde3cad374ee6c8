import { expect, test } from 'vitest'
import type { Series } from './api'
import { linesOf } from './chart'

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
