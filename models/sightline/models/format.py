"""The version of a model folder. Imports nothing, so that serving can read it too."""

#: Of everything under ``models/ID``. A model of another version is not read; `sightline train`
#: makes it again, under another id.
MODEL_FORMAT = 1
