"""The vocabulary of the story grammar.

A line is a concept, its words are synonyms: an event is told in other words by taking other
synonyms. Concepts of events have four words, one for each frame of `pipeline.simulation.grammar`.
"""

from __future__ import annotations

from functools import cache

import numpy as np

EVENT_WORDS = {
    "agent": """
        doctor physician surgeon medic
        teacher tutor professor instructor
        dog hound puppy mutt
        thief robber burglar crook
        child kid toddler youngster
        king monarch ruler emperor
        soldier trooper warrior fighter
        farmer grower rancher peasant
        friend buddy pal companion
        sailor seaman mariner boatman
        priest pastor minister vicar
        clown jester comic joker
        cook chef baker caterer
        girl lass maiden damsel
        boss manager chief supervisor
        lawyer attorney advocate solicitor""",
    "action": """
        grabbed seized snatched clutched
        hurled tossed lobbed flung
        buried concealed stowed stashed
        found discovered located spotted
        smashed shattered cracked wrecked
        filched swiped pinched nabbed
        pulled dragged hauled tugged
        washed cleaned scrubbed rinsed
        fixed repaired mended patched
        watched observed studied viewed
        carried lugged toted transported
        bought purchased acquired obtained
        burned scorched charred torched
        sold peddled auctioned traded
        kicked punched struck hit
        wrapped covered draped swathed""",
    "object": """
        car automobile vehicle sedan
        boat vessel ship dinghy
        bag sack pouch satchel
        gun pistol rifle revolver
        ring jewel gem necklace
        letter note message memo
        book novel volume diary
        coat jacket cloak parka
        cake pastry pie tart
        wallet purse billfold pocketbook
        lamp lantern torch candle
        bottle flask jug pitcher
        picture painting portrait photo
        box crate carton chest
        hat cap bonnet helmet
        knife blade dagger sword""",
    "place": """
        house home cottage cabin
        street road boulevard lane
        forest woodland jungle grove
        river stream creek brook
        shop store market boutique
        hill mountain peak ridge
        church chapel temple cathedral
        bar pub tavern saloon
        beach shore coast seaside
        hospital clinic ward sanatorium
        field meadow pasture prairie
        kitchen pantry scullery galley
        school college seminary lyceum
        barn stable shed warehouse
        garden yard park lawn
        prison jail dungeon cell""",
    "manner": """
        quickly rapidly swiftly hastily
        quietly silently softly noiselessly
        angrily furiously crossly irately
        happily cheerfully gladly merrily
        slowly gradually lazily sluggishly
        sadly gloomily mournfully tearfully
        boldly bravely fearlessly daringly
        clumsily awkwardly carelessly ineptly
        secretly covertly privately discreetly
        gently tenderly lightly delicately""",
    "quality": """
        old ancient aged elderly
        big huge large enormous
        small tiny little miniature
        red crimson scarlet ruby
        beautiful lovely pretty gorgeous
        strange odd weird peculiar
        dirty filthy grimy muddy
        scary frightening spooky creepy
        famous renowned celebrated eminent
        poor needy penniless ragged
        brown tan chestnut hazel
        new recent modern current""",
}

FILLER_WORDS = {
    "family": """
        mother mom
        father dad
        sister
        brother
        uncle
        aunt
        cousin
        grandmother grandma
        grandfather grandpa
        wife
        husband
        daughter
        son
        nephew
        neighbor
        roommate""",
    "feeling": """
        tired exhausted sleepy
        nervous anxious worried
        excited thrilled
        hungry starving
        lonely alone
        proud
        ashamed embarrassed guilty
        calm peaceful relaxed
        bored
        confused puzzled lost
        jealous
        grateful thankful
        sick ill
        brave
        surprised stunned
        upset hurt""",
    "doing": """
        walking hiking running
        driving riding
        talking chatting arguing
        singing humming
        sleeping napping dreaming
        reading writing
        fishing hunting
        swimming diving
        dancing
        crying sobbing
        laughing giggling
        waiting
        working studying
        eating drinking
        praying
        traveling flying""",
    "topic": """
        weather rain snow
        music jazz
        politics elections
        baseball football
        homework math
        history
        freedom
        luck
        courage
        trouble
        summer vacation
        christmas
        breakfast dinner
        coffee tea
        television radio
        science
        heaven
        marriage divorce
        money
        love
        death
        language
        business""",
    "mental": """
        thought wondered believed
        remembered recalled
        knew realized understood
        heard
        dreamed imagined
        forgot
        hoped
        feared""",
    "time": """
        yesterday
        tonight
        later afterwards
        sometimes
        usually
        suddenly
        finally eventually
        meanwhile
        once
        then
        today
        again""",
    "number": "two\n three\n four\n five\n six\n seven\n ten\n twenty",
    "unit": "hours minutes\n days\n weeks\n months\n years\n miles\n dollars",
    "subject": "i\n you\n we\n they\n she\n he\n everybody\n nobody\n somebody",
    "link": "and\n so\n but\n because\n while\n although\n since\n until",
    "owner": "my\n your\n our\n their\n her\n his",
    "function": """
        the a an this that some one no all
        in near on by at of for about with from up when like
        or not never very really just there it how what
        was is am were been had have did could
        me know said told felt took saw looked liked wanted started stop""",
}

CATEGORIES = (*EVENT_WORDS, *FILLER_WORDS)


def concepts(category: str) -> list[list[str]]:
    """Synonyms of every concept of a category."""
    text = {**EVENT_WORDS, **FILLER_WORDS}[category]
    return [line.split() for line in text.strip().splitlines()]


def words(category: str) -> list[str]:
    """All words of a category."""
    return [word for synonyms in concepts(category) for word in synonyms]


@cache
def vocabulary() -> list[str]:
    """Every word of the grammar, sorted."""
    return sorted({word for category in CATEGORIES for word in words(category)})


def embedding(rng: np.random.Generator, rank: int, n_dims: int) -> np.ndarray:
    """Semantic vectors of the vocabulary, in the form of Eng1000.

    A word's position in a space of `rank` dimensions is the sum of its category's, its concept's
    and a small one of its own, so that synonyms are similar; a random map spreads it over `n_dims`.

    Parameters
    ----------
    rng : Generator
        Source of the vectors.
    rank : int
        Dimensions of meaning.
    n_dims : int
        Numbers a word.

    Returns
    -------
    array of shape (n_dims, n_words), float32
        Z-scored over words, as Eng1000 is; words in the order of `vocabulary`.
    """
    index = {word: i for i, word in enumerate(vocabulary())}
    latent = np.zeros((len(index), rank))
    for category in CATEGORIES:
        centre = 0.5 * rng.standard_normal(rank)
        for synonyms in concepts(category):
            concept = rng.standard_normal(rank)
            for word in synonyms:
                latent[index[word]] = centre + concept + 0.25 * rng.standard_normal(rank)
    vectors = latent @ rng.standard_normal((rank, n_dims)) / np.sqrt(rank)
    vectors += 0.1 * rng.standard_normal(vectors.shape)
    return ((vectors - vectors.mean(0)) / vectors.std(0)).T.astype(np.float32)
