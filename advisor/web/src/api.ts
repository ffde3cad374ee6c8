/** The API as the pages use it. Types come from the API's own document: a changed field fails the build. */

import type { components } from './api.types'

type Schemas = components['schemas']

export type Advice = Schemas['Advice']
export type RankedLine = Schemas['RankedLine']
export type RuledOut = Schemas['RuledOut']
export type PlotDetail = Schemas['PlotDetail']
export type PlotFeature = Schemas['PlotFeature']
export type Profile = Schemas['Profile']
export type Series = Schemas['Series']
export type MapSettings = Schemas['MapSettings']
export type QuantityItem = Schemas['QuantityItem']

/** What the API answered instead of the thing asked for (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail)
  }
}

/** Whether readings can be stored, as `/readyz` says it. */
export interface Readiness {
  ready: boolean
  ingest: string
  low_disk?: { free_mb: number; wanted_mb: number }
}

async function readiness(): Promise<Readiness> {
  // Not ready is an answer here, not a failure.
  return (await (await fetch('readyz')).json()) as Readiness
}

async function get<T>(path: string, accept = 'application/json'): Promise<T> {
  const answer = await fetch(`api/v1/${path}`, { headers: { accept } })
  if (!answer.ok) throw await problem(answer)
  return (await answer.json()) as T
}

async function problem(answer: Response): Promise<Problem> {
  try {
    const body = (await answer.json()) as { title?: string; detail?: string }
    return new Problem(answer.status, body.detail ?? body.title ?? answer.statusText)
  } catch {
    return new Problem(answer.status, `${answer.status} ${answer.statusText}`)
  }
}

const id = encodeURIComponent

export const api = {
  readiness,
  mapSettings: () => get<MapSettings>('map'),
  quantities: async () => (await get<{ items: QuantityItem[] }>('quantities')).items,
  plotShapes: async (datum: MapSettings['tiles_datum']) =>
    (
      await get<Schemas['PlotCollection']>(
        `plots?limit=10000&datum=${datum}`,
        'application/geo+json',
      )
    ).features,
  plot: (plot: string) => get<PlotDetail>(`plots/${id(plot)}`),
  advice: (plot: string) => get<Advice>(`plots/${id(plot)}/advice`),
  profile: (plot: string) => get<Profile>(`plots/${id(plot)}/profile`),
  series: (plot: string, quantity: string, from: string, to: string) =>
    get<Series>(
      `plots/${id(plot)}/readings?quantity=${id(quantity)}&from=${id(from)}&to=${id(to)}&step=auto&points=1500`,
    ),
}
