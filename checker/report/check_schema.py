"""Which JSON documents are not what a JSON Schema says. For tests.

usage: check_schema.py SCHEMA DOCUMENTS, where DOCUMENTS is a JSON array of documents. Prints a JSON array: for each
document the list of what is wrong with it, each with its place.
"""

import json
import sys

import jsonschema


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


schema, documents = load(sys.argv[1]), load(sys.argv[2])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
print(json.dumps([["/{}: {}".format("/".join(map(str, error.absolute_path)), error.message[:300])
                   for error in validator.iter_errors(document)] for document in documents]))
