"""Put the application together: storage, keys, packs, registries. For server, worker, CLI and tests alike."""
from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import structlog
from sqlalchemy import Engine

import engine.runtime.standard as standard
from engine.access import integrity
from engine.access.guarding import JOBS as GUARDING
from engine.documents.jobs import JOBS
from engine.kernel.clock import Clock
from engine.kernel.errors import Unavailable
from engine.kernel.gm.keyring import KeyRing
from engine.kernel.logs import configure_logs
from engine.kernel.names import is_name
from engine.kernel.registry import Registry
from engine.kernel.release import check_release, trusted_key
from engine.kernel.sealed_config import seal_configuration
from engine.kernel.settings import ROOT, Settings
from engine.packs.library import Library
from engine.runtime import job_names
from engine.runtime.application import Application
from engine.runtime.apply_calendar import change_failed, make_change, make_preview, recount_late
from engine.runtime.begin_process import begin_process
from engine.runtime.case_bundle.make import bundle_failed, make_bundle
from engine.runtime.change_warning import replan_clocks
from engine.runtime.compress_attachment import compress_attachment, compression_failed
from engine.runtime.deliver_items import deliver_items
from engine.runtime.deliver_message import match_inbox, throw_message
from engine.runtime.deliver_signal import catch_signal, throw_signal
from engine.runtime.end_items import end_items
from engine.runtime.exchange.run_exchange import run_exchange
from engine.runtime.export_register import make_export
from engine.runtime.hand_out_timers import fire_timers
from engine.runtime.handlers import ConnectorFactory, ServiceTask, connectors_in, service_tasks_in
from engine.runtime.hold_items import hold_items
from engine.runtime.import_register import check_import, transfer_failed, undo_written, write_import
from engine.runtime.incidents import document_exhausted
from engine.runtime.key_rounds.rounds import round_failed, run_round
from engine.runtime.make_items import make_items
from engine.runtime.migrating.begin_migration import check_migration
from engine.runtime.migrating.run_migration import run_migration, run_undo
from engine.runtime.organisation_file.bring import check_organisation, undo_organisation, write_organisation
from engine.runtime.reports.issue import make_files
from engine.runtime.reports.schedule import draft_scheduled
from engine.runtime.run_effect import effect_exhausted, run_effect
from engine.runtime.start_failures import start_exhausted
from engine.runtime.start_on_event import start_on_event
from engine.runtime.sync_folders import sync_folders
from engine.runtime.whole_file import file_failed, make_file
from engine.storage.blobs import BlobStore
from engine.storage.database import make_engine
from engine.storage.jobs import JobFunction, JobQueue

log = structlog.get_logger(__name__)
EFFECT_ATTEMPTS = 6
TRANSFERS: dict[str, JobFunction] = {
    job_names.EXPORT_REGISTER: make_export, job_names.CHECK_IMPORT: check_import, job_names.WRITE_IMPORT: write_import, job_names.UNDO_IMPORT: undo_written,
    job_names.CHECK_ORGANISATION: check_organisation, job_names.WRITE_ORGANISATION: write_organisation, job_names.UNDO_ORGANISATION: undo_organisation,
}
REPORTS: dict[str, JobFunction] = {job_names.RENDER_REPORT: make_files, job_names.DRAFT_REPORT: draft_scheduled}


def create_application(settings: Settings, *, clock: Clock | None = None, db: Engine | None = None, sync: bool = True) -> Application:
    """The application with all registries closed; ``sync`` brings changed content folders in first.

    Raises DeployRefused when a content file is wrong, DuplicateName when two handlers claim one name.
    """
    configure_logs()
    _check_programs(settings)
    clock, db = clock or Clock(), db or make_engine(settings)
    app = Application(
        settings=settings, clock=clock, db=db, blobs=BlobStore(settings.data_dir / "blobs"), jobs=JobQueue(db), keys=KeyRing(settings.data_dir, vault=settings.vault),
        library=Library(db), service_tasks=_service_tasks(settings), connectors=_connectors(settings),
    )
    integrity.guard(db, app.keys)
    for name in seal_configuration(settings.data_dir, app.keys):
        log.info("configuration sealed", file=name)
    _register_jobs(app)
    if sync:
        sync_folders(app, at=clock.now())
    return app


def _check_programs(settings: Settings) -> None:
    """A release that was signed is compared with what runs: a changed file is told, or nothing starts, as the deployment wants it."""
    report = check_release(ROOT, trusted=trusted_key(settings.data_dir))
    if not report.problems:
        return
    for problem in report.problems[:20]:
        log.error("release", problem=problem)
    if settings.release_policy == "refuse":
        more = f"（共 {len(report.problems)} 处）" if len(report.problems) > 1 else ""
        raise Unavailable(f"程序与签名的发布不符，没有启动：{report.problems[0]}{more}。请从发布包恢复，或重新签名。", code="release_changed")


def _service_tasks(settings: Settings) -> Registry[ServiceTask]:
    registry: Registry[ServiceTask] = Registry("自动步骤")
    for module in _modules(standard):
        _add(registry, module, "gc")
    for pack, module in _room("handlers", settings):
        _add(registry, module, pack)
    registry.close()
    return registry


def _add(registry: Registry[ServiceTask], module: ModuleType, pack: str) -> None:
    for task in service_tasks_in(module, pack):
        registry.add(task.name, task)


def _connectors(settings: Settings) -> Registry[ConnectorFactory]:
    registry: Registry[ConnectorFactory] = Registry("连接器")
    for system, module in _room("integrations", settings, only="client"):
        for factory in connectors_in(module, system):
            registry.add(factory.name, factory)
    registry.close()
    return registry


def _room(room: str, settings: Settings, *, only: str | None = None) -> Iterator[tuple[str, ModuleType]]:
    """(folder name, module) of every module in ``room``/<name>/ of the content root."""
    for folder in sorted((settings.content_root / room).glob("*/")):
        chosen = settings.only_packs is None or folder.name in settings.only_packs or room != "handlers"
        if is_name(folder.name) and chosen:
            for path in sorted(folder.glob("*.py")):
                if path.stem != "__init__" and only in (None, path.stem):
                    yield folder.name, import_module(f"{room}.{folder.name}.{path.stem}")


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__):
        yield import_module(f"{package.__name__}.{info.name}")


def _register_jobs(app: Application) -> None:
    app.jobs.register(job_names.RUN_EFFECT, run_effect, attempts=EFFECT_ATTEMPTS, exhausted=effect_exhausted)
    app.jobs.register(job_names.MATCH_INBOX, match_inbox)
    app.jobs.register(job_names.BEGIN_PROCESS, begin_process)
    app.jobs.register(job_names.THROW_MESSAGE, throw_message)
    app.jobs.register(job_names.THROW_SIGNAL, throw_signal)
    app.jobs.register(job_names.CATCH_SIGNAL, catch_signal)
    app.jobs.register(job_names.START_ON_EVENT, start_on_event, exhausted=start_exhausted)
    app.jobs.register(job_names.FIRE_TIMERS, fire_timers)
    app.jobs.register(job_names.MAKE_ITEMS, make_items)
    app.jobs.register(job_names.DELIVER_ITEMS, deliver_items)
    app.jobs.register(job_names.END_ITEMS, end_items)
    app.jobs.register(job_names.HOLD_ITEMS, hold_items)
    app.jobs.register(job_names.WHOLE_FILE, make_file, attempts=3, exhausted=file_failed)
    app.jobs.register(job_names.COMPRESS, compress_attachment, attempts=2, exhausted=compression_failed)
    app.jobs.register(job_names.CHECK_MIGRATION, check_migration)
    app.jobs.register(job_names.RUN_MIGRATION, run_migration)
    app.jobs.register(job_names.UNDO_MIGRATION, run_undo)
    app.jobs.register(job_names.PREVIEW_CALENDAR, make_preview, attempts=3, exhausted=change_failed)
    app.jobs.register(job_names.APPLY_CALENDAR, make_change, attempts=3, exhausted=change_failed)
    app.jobs.register(job_names.RECOUNT_LATE, recount_late)
    app.jobs.register(job_names.REPLAN_CLOCKS, replan_clocks)
    app.jobs.register(job_names.KEY_ROUND, run_round, attempts=5, exhausted=round_failed)
    app.jobs.register(job_names.CASE_BUNDLE, make_bundle, attempts=3, exhausted=bundle_failed)
    app.jobs.register(job_names.EXCHANGE, run_exchange, attempts=5)
    for name, made in TRANSFERS.items():
        app.jobs.register(name, made, attempts=3, exhausted=transfer_failed)
    for name, function in JOBS.items():
        app.jobs.register(name, function, exhausted=document_exhausted)
    for name, function in (*GUARDING.items(), *REPORTS.items()):
        app.jobs.register(name, function, attempts=5)
    app.jobs.close()
