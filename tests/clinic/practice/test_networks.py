"""Networks as rate limits count them: the visitor's own and wider ones, and one for all unreadable addresses."""

import pytest
from django.test import RequestFactory

from clinic.practice.access.networks import UNKNOWN, network_of, warn_of_unknown_networks
from clinic.responses.remote_address import parse_address


def network(address, **headers):
    return network_of(RequestFactory().get("/", REMOTE_ADDR=address, **headers))


def names(address):
    return [name for name, _ in network(address).blocks]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ('"192.0.2.7:4711"', "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0::1%eth0", "2001:db8::1"),
        ("[2001:db8::1%25eth0]:80", "2001:db8::1"),
    ],
)
def test_address_is_read_in_every_form_that_proxies_write(text, address):
    assert str(parse_address(text)) == address


ODD = ["", "  ", "unix:", "unknown", "_hidden", "-", "999.1.1.1", "192.0.2", "010.0.0.1", "a:b", "::::", "١٩٢.0.2.7"]


@pytest.mark.parametrize("text", ODD)
def test_unreadable_addresses_share_one_network(text, settings):
    assert network(text) == UNKNOWN
    settings.BEHIND_PROXY = True
    assert network("10.0.0.1", HTTP_X_FORWARDED_FOR=f"203.0.113.9, {text}") == UNKNOWN


def test_operator_is_warned_once_when_addresses_cannot_be_read(caplog):
    warn_of_unknown_networks.cache_clear()
    for _ in range(3):
        network("")
        network("192.0.2.7")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "BEHIND_PROXY" in caplog.text


def test_ipv4_is_counted_alone_and_with_its_neighbors():
    assert names("192.0.2.7") == names("::ffff:192.0.2.7") == ["192.0.2.7/32", "192.0.2.0/24"]


def test_ipv6_is_counted_by_household_customer_and_site():
    assert names("2001:db8:1:2:aaaa::1") == ["2001:db8:1:2::/64", "2001:db8:1::/56", "2001:db8:1::/48"]
    assert names("2001:db8:1:2:bbbb::2") == names("2001:db8:1:2:aaaa::1")


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", ""])
def test_wider_networks_have_higher_limits(address):
    times = [times for _, times in network(address).blocks]
    assert times[0] == 1 and times == sorted(set(times))


def test_only_the_last_hop_counts_and_only_behind_a_proxy(settings):
    forged = {"HTTP_X_FORWARDED_FOR": "203.0.113.9, 192.0.2.7"}
    assert network("10.0.0.1", **forged) == network("10.0.0.1")
    settings.BEHIND_PROXY = True
    assert network("10.0.0.1", **forged) == network("192.0.2.7")
    assert network("10.0.0.1") == network("10.0.0.1", HTTP_X_FORWARDED_FOR="10.0.0.1")
