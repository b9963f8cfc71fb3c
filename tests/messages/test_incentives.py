"""What templates may say of an incentive, for every kind of it."""

import pytest

from dispatcher.messages.catalog import Catalog
from dispatcher.messages.examples import EXAMPLES
from dispatcher.messages.fields import FIELDS, values
from dispatcher.messages.incentives import FIELDS as OFFERED
from dispatcher.messages.incentives import KINDS
from dispatcher.policy.facts import CHANNELS, Channel

SPEECH = Catalog.load().speeches["zh-CN"]
OFFERING = {example.name: example for example in EXAMPLES if example.offer is not None}


@pytest.mark.parametrize("name", OFFERING)
def test_a_promotion_is_of_one_kind(name: str) -> None:
    told = values(OFFERED, OFFERING[name].about("sms", SPEECH))

    assert told["promotion"] is True
    assert len([kind for kind in KINDS if told.get(kind)]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_tried(kind: str) -> None:
    tried = [values([kind], example.about("sms", SPEECH)).get(kind) for example in OFFERING.values()]

    assert any(tried)


@pytest.mark.parametrize("name", OFFERING)
def test_field_is_there_beside_what_it_is_given_with(name: str) -> None:
    told = values(FIELDS, OFFERING[name].about("sms", SPEECH))

    missing = {
        field
        for field, known in FIELDS.items()
        if field not in told and any(told.get(given) for given in known.given_with)
    }
    assert missing == set()


@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_is_told_of_an_incentive_that_is_not_offered(channel: Channel) -> None:
    told = values(OFFERED, EXAMPLES[0].about(channel, SPEECH))

    assert not any(told.values())
