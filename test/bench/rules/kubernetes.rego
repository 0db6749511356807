package main

import rego.v1

name := input.metadata.name

labels := object.get(input.metadata, "labels", {})

annotations := object.get(input.metadata, "annotations", {})

workload_kinds := {"Deployment", "StatefulSet", "DaemonSet", "Job"}

long_running := {"Deployment", "StatefulSet", "DaemonSet"}

pod_spec := input.spec.template.spec if input.kind in workload_kinds

pod_spec := input.spec.jobTemplate.spec.template.spec if input.kind == "CronJob"

pod_spec := input.spec if input.kind == "Pod"

containers contains container if some container in pod_spec.containers

containers contains container if some container in pod_spec.initContainers
