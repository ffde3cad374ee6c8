"""Publishes by Eclipse Paho for Python, over both versions of MQTT, with TLS and without, at QoS 0 and 1.

    publish.py PLAIN_PORT TLS_PORT CA DEVICE TOKEN FIRST_TIME

Each message has the next second as its time. Ends with 0 once all that can be acknowledged is.
"""

import json
import sys

import paho.mqtt.client as mqtt

PATIENCE_S = 60


def publish(port, ca, version, device, token, times):
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=f"paho-{device}", protocol=version
    )
    client.username_pw_set(device, token)
    if ca is not None:
        client.tls_set(ca_certs=ca)
    refused = []
    client.on_connect = lambda _c, _u, _f, reason, _p: refused.append(reason)
    client.connect("localhost", port)
    client.loop_start()
    for qos, time in enumerate(times):
        payload = json.dumps({"time": time, "readings": {"soil_moisture": 0.25}})
        sent = client.publish(f"plotwise/v1/{device}/up", payload, qos=qos)
        sent.wait_for_publish(PATIENCE_S)
        if not sent.is_published():
            sys.exit(f"QoS {qos} over port {port} was not acknowledged; CONNACK {refused}")
    client.disconnect()
    client.loop_stop()


def main():
    plain, tls, ca, device, token, first = sys.argv[1:]
    time = int(first)
    for version in (mqtt.MQTTv311, mqtt.MQTTv5):
        for port, trusted in ((int(plain), None), (int(tls), ca)):
            publish(port, trusted, version, device, token, (time, time + 1))
            time += 2


main()
