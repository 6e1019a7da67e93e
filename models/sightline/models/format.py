"""The versions of what learning writes. Imports nothing, so that serving can read it too.

Both are part of a model's id, so `sightline train` never takes an older model for the one that was
asked for.
"""

#: Of everything under ``models/ID``. A model of another version is not read; `sightline train`
#: makes it again, under another id.
MODEL_FORMAT = 3
#: Of the numbers in it: raised when the same graph, preset and seed give others than before.
LEARNING = 7
