import { expect, test } from 'vitest'
import type { PlotFeature } from './api'
import { shadeKey, shades } from './colours'

const plot = (properties: object) => properties as PlotFeature['properties']
const advised = plot({
  status: 'ranked',
  advised: { crop: 'sweet_potato', suitability: 'S1' },
  pollution_class: 'between_screening_and_intervention',
})
const thin = plot({ status: 'measure_first', advised: null, pollution_class: null })

test('a plot without advice is shown as such, not as a crop', () => {
  expect(shadeKey(advised, 'crop')).toBe('sweet_potato')
  expect(shadeKey(thin, 'crop')).toBe('measure_first')
  expect(shadeKey(thin, 'pollution')).toBe('unknown')
})

test('every key that occurs has one shade', () => {
  const legend = shades([advised, thin, advised], 'crop')
  expect([...legend.keys()]).toEqual(['measure_first', 'sweet_potato'])
})
