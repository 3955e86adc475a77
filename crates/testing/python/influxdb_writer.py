"""Writes to InfluxDB 2 as its users do, with InfluxDB's own client of PyPI, `influxdb-client`.

Its one argument is JSON:

    {"url": "https://localhost:8443", "token": "…", "authority": "/…/certificate.pem" or null, "gzip": true,
     "tags": {"host": "h"}, "measurement": "m", "value": 7}

It prints `written`, or `refused`, the status and the answer's body when the server does not take the point.
"""

import json
import sys

from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

settings = json.loads(sys.argv[1])
authority = settings["authority"]
point = Point(settings["measurement"]).field("value", settings["value"])
for name, value in settings["tags"].items():
    point = point.tag(name, value)

with InfluxDBClient(
    url=settings["url"],
    token=settings["token"],
    org="an organisation",
    enable_gzip=settings["gzip"],
    verify_ssl=authority is not None,
    ssl_ca_cert=authority,
) as client:
    try:
        client.write_api(write_options=SYNCHRONOUS).write(bucket="a bucket", record=point)
        print("written")
    except ApiException as refusal:
        print("refused", refusal.status, refusal.body)
