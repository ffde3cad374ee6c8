/** Every text of the pages, in both languages; a key that one of them lacks fails the type check. */

import en from './words/en.json'
import zh from './words/zh.json'

export type Language = 'zh' | 'en'
export type Words = typeof zh

const dictionaries: Record<Language, Words> & { en: typeof en } = { zh, en }

export function words(language: Language): Words {
  return dictionaries[language]
}

/** Puts values into `{name}` places of a text. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place))
}

/** The reader's version of a text that the API gives in both languages. */
export function say(text: { zh: string; en: string }, language: Language): string {
  return text[language]
}
