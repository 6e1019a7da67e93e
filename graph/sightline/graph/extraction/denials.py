"""What sentences deny, suppose, ask, or tell of the past: two names in it are no fact of today.

Knows words of some European languages, by their hashes; knows no graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Flags
from sightline.graph.extraction.linking import Mentions
from sightline.graph.extraction.tokens import Hashes, Places, Words, joined

#: Words before the first of two names, and after the second, that may deny what is said of them.
NEAR = 3
#: Near two names or between them: that is not so, no longer, not yet, or only wished. Of phrases
#: the words are joined by "_"; what stands behind an apostrophe is a word of its own.
_DENIALS = """
not no never neither nor none nobody nothing nowhere without cannot hardly scarcely barely
isn_t aren_t wasn_t weren_t doesn_t don_t didn_t hasn_t haven_t hadn_t won_t can_t couldn_t
wouldn_t shouldn_t needn_t ain_t
former formerly historically until till unlike denied disputed left ceased declined refused rejected
lacks used_to ex gave_up opted_out voted_against against far instead_of rather_than except
false falsely wrong wrongly mistaken mistakenly supposedly allegedly
if could would might will wants hopes plan planned planning proposed applied candidate negotiating
once whether absent
nicht kein keine keinen keiner keinem nie niemals weder ohne früher ehemals einst
wäre würde könnte ehemalige ehemaliger ehemaligen frühere früheren
pas jamais aucun aucune ni ancien ancienne anciennement autrefois serait
nunca jamás tampoco ninguna ninguno antiguamente antigua_capital sería
non_e non_si non_ha non_sono non_fa mai ne nessun nessuna sarebbe
não nunca nem jamais seria
niet geen nooit inte ingen aldrig ikke nigdy
не нет никогда никто без бывший бывшая
不 没 非 未
"""
#: Anywhere before the second of two names: all that follows is no claim.
_FRAMES = """
myth false rumour rumor legend belief claim claimed suppose supposing imagine assume assuming
pretend hypothetically alternative_history alternate_history fictional fiction
nobody whether if hardly far_from
wenn angenommen falls stell
imaginez supposons imagina supongamos mythe mito mythos
"""
#: Between two names or near them: so it was, and may be no longer.
_PAST = """
was_the was_a was_an was_in was_once was_then was_also was_part was_one was_located was_situated
were_the were_a were_in were_once were_part had belonged bordered lay served_as before
war_die war_der war_das war_eine war_ein war_bis gehörte lag grenzte
était fut appartenait
era_la era_el era_una era_un era_il era_a era_o fue foi perteneció
был была было
"""
#: From here on a sentence speaks of something else.
_TURNS = "whereas while whilst während wohingegen tandis_que mientras mentre"


@dataclass(frozen=True, slots=True)
class Told:
    """How a sentence tells what it tells of two names; flags, one for each pair.

    Attributes:
        denied: not as a fact: it denies, supposes or asks, or the names are of different clauses.
        past: as something that was.
    """

    denied: Flags
    past: Flags


def told(mentions: Mentions, one: Places, other: Places) -> Told:
    """How sentences speak of pairs of places in ``mentions``, the earlier first."""
    word, sentence = mentions.word, mentions.word_sentence
    denials, frames, past, turns = (
        _counted(word, phrases) for phrases in (_DENIALS, _FRAMES, _PAST, _TURNS)
    )
    begins = np.searchsorted(sentence, mentions.sentence[one])
    stops = np.searchsorted(sentence, mentions.sentence[one], side="right")
    end = mentions.first[other] + mentions.count[other]
    low, high = np.maximum(mentions.first[one] - NEAR, begins), np.minimum(end + NEAR, stops)
    first, last = mentions.first[one], mentions.first[other]
    denied = (denials[high] > denials[low]) | (frames[last] > frames[begins])
    denied |= mentions.asked[first] | (turns[last] > turns[first])
    denied |= mentions.clause[first] != mentions.clause[last]
    return Told(denied, past[high] > past[low])


def _counted(word: Hashes, phrases: str) -> Places:
    """How many of some phrases end before each word, int64 ``(W + 1,)``."""
    said = phrases.split()
    single = Words.of([one for one in said if "_" not in one]).hash
    double = Words.of([one.replace("_", " ") for one in said if "_" in one]).hash
    found = np.isin(word, single)
    found[1:] |= np.isin(joined(word[:-1], word[1:]), joined(double[::2], double[1::2]))
    return np.concatenate([[0], np.cumsum(found)])
