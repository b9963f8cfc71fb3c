"""How often it is asked who has something due, and that nobody is left out."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

from dispatcher.policy.facts import Channel
from dispatcher.workflow.draining import Hands

FULL = 10

Queue = tuple[str, Channel]


class Yard:
    """Queues of things to do; what `follows` a queue's last full batch is due from then on."""

    def __init__(self, due: dict[Queue, int], follows: Queue | None = None, hands: int = 3) -> None:
        self.due = due
        self.asked = 0
        self.resting: set[Channel] = set()
        self._follows = follows
        self._hands = Hands(self._ready, self._room, self._work, lambda channel, room: None, self, hands)

    def now(self) -> int:
        return 0

    async def work_off(self) -> Counter[str]:
        async with asyncio.timeout(5):
            return await self._hands.work_off([0])

    async def _ready(self, lanes: Sequence[int]) -> list[tuple[str, Channel]]:
        self.asked += 1
        return [queue for queue, count in self.due.items() if count]

    def _room(self, channel: Channel) -> int:
        return 0 if channel in self.resting else FULL

    async def _work(self, shop: str, channel: Channel, room: int) -> Counter[str]:
        done = min(room, self.due[shop, channel])
        self.due[shop, channel] -= done
        await asyncio.sleep(0)
        if done and not self.due[shop, channel] and self._follows:
            self.resting.add(channel)
            self.due[self._follows] = 1
            self._follows = None
        return Counter({f"{shop} by {channel}": done}) if done else Counter()


async def test_a_shop_that_goes_on_is_not_asked_about_with_every_batch() -> None:
    yard = Yard({("large", "chat"): 100 * FULL + 1}, hands=1)

    done = await yard.work_off()

    assert done == {"large by chat": 100 * FULL + 1}
    assert yard.asked < 10


async def test_what_a_full_batch_made_due_is_found_though_its_own_channel_rests() -> None:
    yard = Yard({("shop", "sms"): 3 * FULL}, follows=("shop", "chat"))

    done = await yard.work_off()

    assert done == {"shop by sms": 3 * FULL, "shop by chat": 1}


async def test_small_shops_are_all_worked_off_beside_a_large_one() -> None:
    small = {(f"S-{number}", channel): 1 for number in range(9) for channel in ("chat", "sms")}
    yard = Yard({("large", "chat"): 9 * FULL, **small})

    done = await yard.work_off()

    assert done.total() == 9 * FULL + len(small)
    assert not any(yard.due.values())


class UnsteadyYard(Yard):
    """Answers and batches that take as long as chance has it, and make more due on any channel."""

    def __init__(self, seed: int) -> None:
        self._chance = chance = Random(seed)
        self._may_follow = 20
        super().__init__(
            {(shop, channel): chance.randint(0, 2) for shop in ("A", "B") for channel in ("chat", "sms")},
            hands=chance.randint(1, 3),
        )

    async def _while(self) -> None:
        for _ in range(self._chance.randint(0, 20)):
            await asyncio.sleep(0)

    async def _ready(self, lanes: Sequence[int]) -> list[tuple[str, Channel]]:
        await self._while()
        found = await super()._ready(lanes)
        await self._while()
        return found

    async def _work(self, shop: str, channel: Channel, room: int) -> Counter[str]:
        await self._while()
        done = await super()._work(shop, channel, room)
        await self._while()
        if done and self._may_follow and self._chance.random() < 0.5:
            self._may_follow -= 1
            self.due[self._chance.choice(list(self.due))] += 1
        await self._while()
        return done


async def test_what_becomes_due_at_any_moment_is_worked_off() -> None:
    for seed in range(500):
        yard = UnsteadyYard(seed)

        await yard.work_off()

        assert not any(yard.due.values()), seed
