"""Checks a manifest against the schemas of Kubernetes and prints its documents as JSON.

    python kubernetes.py manifest.yaml 1.34

A property that the schema does not know is an error.
"""

import json
import sys

import kubernetes_validate
import yaml

manifest, version = sys.argv[1:]
with open(manifest, encoding="utf-8") as file:
    documents = list(yaml.safe_load_all(file))
for document in documents:
    kubernetes_validate.validate(document, version, strict=True)
json.dump(documents, sys.stdout)
