"""Who may call what, by a server's own door: headers first, then jobs by their owners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from digits.adapters.memory import MemoryStore
from digits.datasets.places import BatchPlaces
from digits.errors import Forbidden, Unauthenticated
from digits.feedback.labels import Labels
from digits.feedback.predictions import Predictions
from digits.jobs.admission import Admission
from digits.jobs.jobs import new_job
from digits.jobs.retention import JobRetention, Limits
from digits.models.registry import Registry
from digits.security import tokens
from digits.security.tokens import Principal, Role, Tokens, line
from digits.serving.serving_model import ServingModel
from digits.serving.version_floor import VersionFloor
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as digit_pb
from digits.v1 import digit_service_pb2_grpc, training_pb2_grpc
from digits.v1 import training_pb2 as pb
from server.access import ROLES, Access, Authorized
from server.digit_servicer import DigitServicer
from server.error_mapping import ErrorMapping
from server.generic_handlers import GenericHandlersOnly
from server.job_servicer import JobServicer
from server.progress_stream import ProgressStreams
from tests.unit.job_bench import Bench

pytestmark = pytest.mark.usefixtures("_looks_every_time")
EVERYBODY = {"ann": Role.TRAIN, "ben": Role.TRAIN, "cat": Role.CLASSIFY, "root": Role.ADMIN}


@pytest.fixture
def _looks_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_LOOK_SECONDS", 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    write(path, *EVERYBODY)
    return path


def write(path: Path, *names: str) -> None:
    path.write_text("\n".join(line(Principal(name, frozenset({EVERYBODY[name]})), name) for name in names))


def shown(name: str) -> tuple[tuple[str, str], ...]:
    """The headers by which somebody calls; nobody's have no token."""
    return (("authorization", f"Bearer {name}"),) if name else ()


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("cat", {Role.CLASSIFY, None}),
        ("ann", {Role.TRAIN, None}),
        ("root", {Role.CLASSIFY, Role.TRAIN, Role.ADMIN, None}),
    ],
)
def test_each_role_opens_its_own_methods_and_an_admins_opens_all(
    file: Path, name: str, may: set[Role | None]
) -> None:
    access = Access(Tokens(file), 9)
    for method, role in ROLES.items():
        if role in may:
            access.check(f"/digits.v1.Service/{method}", shown(name))
            continue
        with pytest.raises(Forbidden, match=f"the roles {EVERYBODY[name]},{role}"):
            access.check(f"/digits.v1.Service/{method}", shown(name))


@pytest.mark.parametrize("method", ["PromoteModel", "RollbackModel", "PinModel", "PruneModels", "PruneJobs"])
def test_what_changes_or_removes_what_is_everybodys_is_an_admins(method: str) -> None:
    assert ROLES[method] is Role.ADMIN


def test_strangers_may_ask_for_health_and_nothing_else(file: Path) -> None:
    access = Access(Tokens(file), 9)
    access.check("/grpc.health.v1.Health/Check", ())
    for method in ROLES:
        with pytest.raises(Unauthenticated):
            access.check(f"/digits.v1.Service/{method}", ())


class Served:
    """The services of jobs and digits over parts in memory; classifying is not what these tests are about."""

    def __init__(self, access: Access) -> None:
        self.bench = Bench()
        jobs = self.bench.jobs
        floor = VersionFloor(ServingModel(Registry(self.bench.coordinator), None, lambda _: None))  # type: ignore[arg-type]
        streams = ProgressStreams(jobs, floor, heartbeat_seconds=0.02)
        limits = Limits(1.0, 0)
        retention = JobRetention(jobs, self.bench.coordinator)
        self.job = JobServicer(jobs, streams, access, retention=retention, limits=limits)
        store = MemoryStore()
        admission = Admission(
            jobs,
            store,
            BatchPlaces(Path("nowhere")),
            Labels(store, 1),
            find_model=Registry(self.bench.coordinator).get,
            max_dataset_bytes=1 << 20,
            max_jobs_per_caller=9,
        )
        self.digit = DigitServicer(
            admission,
            streams,
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            Predictions(),
            access=access,
            settings=Settings(),
        )

    def job_of(self, caller: str) -> str:
        job = new_job(pb.TrainSpec(caller=caller))
        self.bench.jobs.add(job)
        return job.job_id


def ask(file: Path, folder: Path, calls: Callable[[Served, grpc.aio.Channel], Awaitable[None]]) -> None:
    """Runs a real server with these tokens, and what calls it."""

    async def run() -> None:
        access = Access(Tokens(file), 9)
        served, server = Served(access), grpc.aio.server()
        methods = GenericHandlersOnly(server, access)
        for servicer, add in (
            (served.job, training_pb2_grpc.add_JobServiceServicer_to_server),
            (served.digit, digit_service_pb2_grpc.add_DigitServiceServicer_to_server),
        ):
            add(ErrorMapping(Authorized(servicer, access)), methods)  # type: ignore[arg-type]
        address = f"unix:{folder}/grpc"
        server.add_insecure_port(address)
        await server.start()
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                await calls(served, channel)
        finally:
            await server.stop(None)

    asyncio.run(run())


async def code_of(call: Awaitable[object]) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("name", "code"),
    [("", grpc.StatusCode.UNAUTHENTICATED), ("ann", grpc.StatusCode.PERMISSION_DENIED)],
)
def test_a_call_is_refused_by_its_headers_before_its_message_has_come(
    file: Path, tmp_path: Path, name: str, code: grpc.StatusCode
) -> None:
    """The caller announces a unary call and sends nothing: who waits for the message answers too late."""

    async def calls(_: Served, channel: grpc.aio.Channel) -> None:
        async def nothing() -> AsyncIterator[bytes]:
            await asyncio.Event().wait()
            yield b""

        method = channel.stream_unary("/digits.v1.DigitService/Classify")
        assert await code_of(method(nothing(), metadata=shown(name), timeout=5)) is code

    ask(file, tmp_path, calls)


def test_a_train_token_sees_watches_and_cancels_its_own_jobs_alone(file: Path, tmp_path: Path) -> None:
    async def calls(served: Served, channel: grpc.aio.Channel) -> None:
        stub = training_pb2_grpc.JobServiceStub(channel)
        anns, bens = served.job_of("ann"), served.job_of("ben")
        for method, request in (
            (stub.GetJob, pb.GetJobRequest),
            (stub.CancelJob, pb.CancelJobRequest),
            (stub.WatchJob, pb.WatchJobRequest),
        ):
            for name, job_id, seen in (("ann", bens, False), ("ann", anns, True), ("root", bens, True)):
                call = method(request(job_id=job_id), metadata=shown(name), timeout=5)
                answer = call.read() if method is stub.WatchJob else call
                assert await code_of(answer) is (grpc.StatusCode.OK if seen else grpc.StatusCode.NOT_FOUND)
        assert served.bench.jobs.get(bens).state == pb.CANCELLED, "by root"

    ask(file, tmp_path, calls)


def test_a_list_of_jobs_leaves_out_the_course_that_each_of_them_has(file: Path, tmp_path: Path) -> None:
    """A thousand of them would be more than a message may hold."""

    async def calls(served: Served, channel: grpc.aio.Channel) -> None:
        stub, anns = training_pb2_grpc.JobServiceStub(channel), served.job_of("ann")
        course = {"history": [{"micro_batch": 1}], "held_out_reading": {"confusion_counts": [1]}}
        served.bench.jobs.edit(anns, lambda job: job.MergeFrom(pb.Job(**course)))
        whole = await stub.GetJob(pb.GetJobRequest(job_id=anns), metadata=shown("ann"), timeout=5)
        listed = await stub.ListJobs(pb.ListJobsRequest(), metadata=shown("ann"), timeout=5)
        assert len(whole.history) == 1
        assert [(job.job_id, len(job.history), job.HasField("held_out_reading")) for job in listed.jobs] == [
            (anns, 0, False)
        ]

    ask(file, tmp_path, calls)


def test_nobody_learns_whether_there_is_a_job_of_that_name_of_somebody_elses(
    file: Path, tmp_path: Path
) -> None:
    async def calls(served: Served, channel: grpc.aio.Channel) -> None:
        stub = training_pb2_grpc.JobServiceStub(channel)
        bens, texts = served.job_of("ben"), []
        for job_id in (bens, f"{bens}-of-nobody"):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.GetJob(pb.GetJobRequest(job_id=job_id), metadata=shown("ann"))
            texts.append(str(refused.value.details()).replace(job_id, "ID"))
        assert texts[0] == texts[1]

    ask(file, tmp_path, calls)


def test_a_list_has_the_callers_own_jobs_and_an_admins_has_all_page_by_page(
    file: Path, tmp_path: Path
) -> None:
    async def calls(served: Served, channel: grpc.aio.Channel) -> None:
        stub = training_pb2_grpc.JobServiceStub(channel)
        for name in ("ann", "ben", "ann"):
            served.job_of(name)

        async def listed(name: str) -> list[str]:
            found, page_token = [], ""
            while True:
                request = pb.ListJobsRequest(page_size=1, page_token=page_token)
                page = await stub.ListJobs(request, metadata=shown(name))
                found += [job.spec.caller for job in page.jobs]
                if not (page_token := page.next_page_token):
                    return found

        assert await listed("ben") == ["ben"]
        assert await listed("ann") == ["ann", "ann"]
        assert sorted(await listed("root")) == ["ann", "ann", "ben"]

    ask(file, tmp_path, calls)


def test_a_model_that_serves_whatever_its_accuracy_is_an_admins_to_ask_for(
    file: Path, tmp_path: Path
) -> None:
    async def calls(_: Served, channel: grpc.aio.Channel) -> None:
        stub = digit_service_pb2_grpc.DigitServiceStub(channel)
        request = digit_pb.TrainRequest(images_batch_path="a.npz", promotion=pb.ALWAYS)
        for name, code in (
            ("ann", grpc.StatusCode.PERMISSION_DENIED),
            # It was let in: there is no such batch.
            ("root", grpc.StatusCode.NOT_FOUND),
        ):
            call = stub.Train(request, metadata=shown(name), timeout=5)
            assert await code_of(call.read()) is code

    ask(file, tmp_path, calls)


def test_a_stream_ends_when_its_token_is_taken_away(file: Path, tmp_path: Path) -> None:
    async def calls(served: Served, channel: grpc.aio.Channel) -> None:
        stub = training_pb2_grpc.JobServiceStub(channel)
        request = pb.WatchJobRequest(job_id=served.job_of("ann"))
        watching = stub.WatchJob(request, metadata=shown("ann"), timeout=5)
        await watching.read()
        write(file, "ben")

        async def to_its_end() -> None:
            while await watching.read() is not grpc.aio.EOF:
                pass

        assert await code_of(to_its_end()) is grpc.StatusCode.UNAUTHENTICATED

    ask(file, tmp_path, calls)
