/** Where the reader is, kept in the address so that a link can be shared: `#/` or `#/plots/ID/land`. */

export type Tab = 'plant' | 'land'

interface Place {
  screen: 'map' | 'plot'
  plot: string
  tab: Tab
}

export function parseRoute(hash: string): Place {
  const [, screen, plot, tab] = hash.replace(/^#/, '').split('/')
  if (screen === 'plots' && plot) {
    return {
      screen: 'plot',
      plot: decodeURIComponent(plot),
      tab: tab === 'land' ? 'land' : 'plant',
    }
  }
  return { screen: 'map', plot: '', tab: 'plant' }
}

export function plotLink(plot: string, tab: Tab = 'plant'): string {
  return `#/plots/${encodeURIComponent(plot)}${tab === 'land' ? '/land' : ''}`
}

export const route: Place = $state(parseRoute(location.hash))

window.addEventListener('hashchange', () => {
  Object.assign(route, parseRoute(location.hash))
  window.scrollTo(0, 0)
})
