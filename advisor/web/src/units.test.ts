import { expect, test } from 'vitest'
import { area, dayOfYear, margin, yieldFigure, yieldUnit } from './units'

test('45 t/ha is 6000 jin a mu', () => {
  expect(yieldFigure(45_000, 'mu')).toBe(6000)
  expect(yieldUnit('mu', 'zh')).toBe('斤/亩')
})

test('area in mu carries two decimals, as the registry writes it', () => {
  expect(area(10_000, 'mu', 'zh')).toBe('15.00 亩')
  expect(area(10_000, 'ha', 'en')).toBe('1.000 ha')
})

test('a margin follows the area unit', () => {
  expect(margin(820, 'CNY', 'mu', 'zh')).toBe('820 元/亩')
  expect(margin(820, 'CNY', 'ha', 'en')).toBe('CNY 12,300/ha')
})

test('days of the year read as people say them', () => {
  expect(dayOfYear('05-01', 'zh')).toBe('5月1日')
  expect(dayOfYear('05-01', 'en')).toBe('1 May')
  expect(dayOfYear('unknown', 'en')).toBe('unknown')
})
