package main

import rego.v1

deny contains "late" if http.send({"method": "get", "url": "https://example.com"}).status_code == 200
