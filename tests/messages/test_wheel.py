"""The built wheel is what people install, so a message is rendered from it, not from the checkout."""

import json
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

RENDER = """
import json, sys
sys.path[:0] = sys.argv[1:]
import dispatcher
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.rendering import render
from dispatcher.messages.wording import check, load
from dispatcher.policy.decisions import Limits, Send
from dispatcher.policy.document import default_policy
from dispatcher.policy.facts import Customer, Facts, Item, Order, OrderState

placed, hour = 1_794_363_630_000, 3_600_000
now = placed + 2 * hour
order = Order(id="O-1", placed_at=placed, closes_at=placed + 24 * hour, total="299.00", currency="CNY",
              items=(Item(name="夏季连衣裙"),), pay_url="https://pay.example/O-1")
facts = Facts(shop="demo", order=order, customer=Customer(id="C-1", name="王女士", paid_orders=1),
              state=OrderState.UNPAID, step=1, status="planned", moment=now, due=now, channel="sms")
send = Send(channel="sms", valid_until=now + hour, limits=Limits(day_start=0, day_end=now + hour),
            ships_today=False, rules=())
catalog = Catalog.load()
message = render(catalog, facts, send, default_policy(), now)
hits = check("全网", load(catalog.directory)["jd"])
print(json.dumps({"package": dispatcher.__file__, "templates": str(catalog.directory), "text": message.text,
                  "hits": [hit.word for hit in hits]}))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh directory with nothing in it but the unpacked wheel."""
    built = tmp_path_factory.mktemp("built")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = built.glob("*.whl")
    directory = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory)
    return directory


def test_message_is_rendered_from_the_wheel_with_its_own_templates(unpacked: Path, tmp_path: Path) -> None:
    dependencies = sysconfig.get_path("purelib")

    # Without site, so that an editable install of the checkout is not on the path.
    child = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", RENDER, str(unpacked), dependencies],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )

    answer = json.loads(child.stdout)
    assert answer["package"] == str(unpacked / "dispatcher" / "__init__.py")
    assert answer["templates"] == str(unpacked / "dispatcher" / "templates")
    assert answer["hits"] == ["全网"]
    assert answer["text"] == (
        "【demo】王女士，谢谢您又来选购！您今日10:20拍的夏季连衣裙待付款，付款入口：https://pay.example/O-1"
    )
