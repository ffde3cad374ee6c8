/** What this reader chose: language and units. Kept in the browser; a browser that refuses forgets. */

import type { Language } from './words'
import type { UnitSystem } from './units'

interface Preferences {
  language: Language
  units: UnitSystem
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`plotwise.${key}`)
  } catch {
    return null
  }
}

export function firstLanguage(kept: string | null, browser: readonly string[]): Language {
  if (kept === 'zh' || kept === 'en') return kept
  return browser[0]?.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

const language = firstLanguage(remembered('language'), navigator.languages)
const units = remembered('units')

export const preferences: Preferences = $state({
  language,
  units: units === 'mu' || units === 'ha' ? units : language === 'zh' ? 'mu' : 'ha',
})

export function choose<K extends keyof Preferences>(key: K, value: Preferences[K]): void {
  preferences[key] = value
  try {
    localStorage.setItem(`plotwise.${key}`, value)
  } catch {
    // Private windows refuse; the choice then lasts as long as the page.
  }
}
