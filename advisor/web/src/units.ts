/** How figures are written: 1 mu is 1/15 ha, 1 jin is 0.5 kg (agreed Chinese units). */

import type { Language } from './words'

export type UnitSystem = 'mu' | 'ha'

const M2_PER_MU = 10_000 / 15

/** Yield for the reader: jin a mu, or kg a hectare, both to two or three meaningful digits. */
export function yieldFigure(kgHa: number, units: UnitSystem): number {
  return units === 'mu' ? roundTo((kgHa / 15) * 2, 10) : roundTo(kgHa, 100)
}

export function yieldUnit(units: UnitSystem, language: Language): string {
  if (units === 'mu') return language === 'zh' ? '斤/亩' : 'jin/mu'
  return language === 'zh' ? '公斤/公顷' : 'kg/ha'
}

/** Area: mu to two decimals as the land registry writes it, or hectares to three. */
export function area(m2: number, units: UnitSystem, language: Language): string {
  return units === 'mu'
    ? `${(m2 / M2_PER_MU).toFixed(2)} ${language === 'zh' ? '亩' : 'mu'}`
    : `${(m2 / 10_000).toFixed(3)} ${language === 'zh' ? '公顷' : 'ha'}`
}

/** Money over area, in the area unit of the reader. */
export function margin(
  perMu: number,
  currency: string,
  units: UnitSystem,
  language: Language,
): string {
  const amount = Math.round(units === 'mu' ? perMu : perMu * 15).toLocaleString(locale(language))
  const per = units === 'mu' ? (language === 'zh' ? '亩' : 'mu') : language === 'zh' ? '公顷' : 'ha'
  const money = currency === 'CNY' && language === 'zh' ? `${amount} 元` : `${currency} ${amount}`
  return `${money}/${per}`
}

export function number(value: number, decimals: number, language: Language): string {
  return value.toLocaleString(locale(language), {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
}

/** A day of the year `MM-DD` as people say it. */
export function dayOfYear(monthDay: string, language: Language): string {
  const [month, day] = monthDay.split('-').map(Number)
  if (!month || !day) return monthDay
  if (language === 'zh') return `${month}月${day}日`
  return new Date(Date.UTC(2000, month - 1, day)).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  })
}

/** A day as it stands, or the day of a moment where the reader is. */
export function date(iso: string, language: Language): string {
  if (iso.includes('T')) {
    const at = new Date(iso)
    const two = (part: number) => String(part).padStart(2, '0')
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
    return Number.isNaN(at.getTime()) ? iso : date(day, language)
  }
  const [year, month, day] = iso.slice(0, 10).split('-').map(Number)
  if (!year || !month || !day) return iso
  return language === 'zh' ? `${year}年${month}月${day}日` : iso.slice(0, 10)
}

function roundTo(value: number, step: number): number {
  return Math.round(value / step) * step
}

export function locale(language: Language): string {
  return language === 'zh' ? 'zh-CN' : 'en-GB'
}
