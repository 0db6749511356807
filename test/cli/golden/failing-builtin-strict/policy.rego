package main

import rego.v1

deny contains "priority is too high" if to_number(input.metadata.labels.priority) > 5
