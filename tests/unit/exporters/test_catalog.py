"""What is to be measured, worked out only when something changed."""

from exporters.catalog import Catalog


class Counting:
    """Containers, and how often they were asked for anew."""

    def __init__(self, *containers):
        self.containers = containers

    def __call__(self):
        return self.containers


def test_workloads_come_from_labels_and_from_the_file(told, make):
    web = make("shop-web-1", labels={"homeostat.enable": "true"})
    catalog = Catalog(told("workloads: {shop/db: {enable: true}}"), Counting(web))

    assert [(entry.workload.id, entry.workload.enabled, entry.containers) for entry in catalog.entries()] == [
        ("shop/db", True, ()),
        ("shop/web", True, (web,)),
    ]


def test_nothing_is_worked_out_again_while_nothing_changes(told, make):
    containers = Counting(make())
    catalog = Catalog(told(), containers)
    before = catalog.entries()
    assert catalog.entries() is before
    containers.containers = (make(), make("shop-web-2"))

    assert len(catalog.entries()[0].containers) == 2


def test_wrong_labels_turn_only_their_workload_off(told, make):
    wrong = make("shop-web-1", labels={"homeostat.enable": "true", "homeostat.probe.http": "nonsense"})
    right = make("shop-db-1", labels={"homeostat.enable": "true"})
    entries = Catalog(told(), Counting(wrong, right)).entries()

    assert {entry.workload.id: (entry.workload.enabled, bool(entry.problems)) for entry in entries} == {
        "shop/web": (False, True),
        "shop/db": (True, False),
    }


def test_a_problem_is_logged_once_until_it_is_mended(told, make, capsys):
    wrong = make(labels={"homeostat.enable": "perhaps"})
    containers = Counting(wrong)
    catalog = Catalog(told(), containers)
    catalog.entries()
    assert "shop-web-1: label homeostat.enable: 'perhaps'" in capsys.readouterr().out
    containers.containers = (wrong, make("shop-db-1"))
    catalog.entries()
    assert "workload.labels_wrong" not in capsys.readouterr().out
    containers.containers = (make(),)
    catalog.entries()
    containers.containers = (wrong,)
    catalog.entries()

    assert "workload.labels_wrong" in capsys.readouterr().out
