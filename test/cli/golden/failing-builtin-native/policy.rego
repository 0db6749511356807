# METADATA
# scope: package
# title: Priority is low
# description: A priority above five is for the platform.
# custom:
#   severity: high
#   controls: []
#   remedy: lower it
package countersign.rules.test.priority

deny contains "priority is too high" if to_number(input.object.metadata.labels.priority) > 5

deny contains "the name is short" if count(input.object.metadata.name) < 2
