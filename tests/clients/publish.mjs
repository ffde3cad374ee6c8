// Publishes by MQTT.js, over both versions of MQTT, with TLS and without, at QoS 0 and 1.
//
//     publish.mjs PLAIN_PORT TLS_PORT CA DEVICE TOKEN FIRST_TIME
//
// Each message has the next second as its time. Ends with 0 once all that can be acknowledged is.
import { readFileSync } from 'node:fs'
import mqtt from 'mqtt'

const [plain, tls, ca, device, token, first] = process.argv.slice(2)
let time = Number(first)

for (const protocolVersion of [4, 5]) {
  for (const url of [`mqtt://localhost:${plain}`, `mqtts://localhost:${tls}`]) {
    const client = await mqtt.connectAsync(url, {
      protocolVersion,
      clientId: `mqttjs-${device}`,
      username: device,
      password: token,
      ca: readFileSync(ca),
      reconnectPeriod: 0,
    })
    for (const qos of [0, 1]) {
      const payload = JSON.stringify({ time, readings: { soil_moisture: 0.25 } })
      await client.publishAsync(`plotwise/v1/${device}/up`, payload, { qos })
      time += 1
    }
    await client.endAsync()
  }
}
