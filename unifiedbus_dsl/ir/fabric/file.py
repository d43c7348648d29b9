"""The fabric in one file: an uncompressed `.npz` whose arrays are mapped into memory, see `docs/ir-file.md`.

`numpy.load` reads it too. Arrays start at multiples of 64 bytes, and the bytes depend on the fabric only.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.drafts import beside
from unifiedbus_dsl.base.progress import Step, task
from unifiedbus_dsl.ir.fabric import CableKinds, Fabric
from unifiedbus_dsl.ir.fabric.verify import BrokenFabricError, verify_fabric
from unifiedbus_dsl.ir.plan import serial

FORMAT = "ubusc-fabric"
VERSION = 2
_ALIGNMENT = 64
_PIECE = 1 << 26
"""Bytes that are written at a time: often enough to say how far it is."""
_PADDING_ID = 0xD935
"""Id of the extra field that Android's zipalign pads with; readers skip it."""
_ZIP64_EXTRA = 20
_LOCAL_HEADER = struct.Struct("<4s2xHH16xHH")
_DATE = (1980, 1, 1, 0, 0, 0)
_ALWAYS_CHECKED = ("head.npy", "plan.npy")
"""Members whose damage would spoil everything, and which are small."""
_COLUMNS = ("device_type", "a_device", "a_port", "b_device", "b_port", "kind")
_KINDS = ("link", "lanes", "length_m")


class FabricFileError(ValueError):
    """A file that is no fabric, or not one that can be read; the sentence stands alone."""


# ---- writing ----------------------------------------------------------------------------------------------------


def save(fabric: Fabric, path: str | PathLike[str]) -> None:
    """Writes beside the target and renames, so that the file is there whole or not at all."""
    members = _members(fabric)
    with (
        beside(Path(path)) as draft,
        zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive,
        task(f"save {fabric.plan.system}", sum(array.nbytes for array in members.values())) as step,
    ):
        for name, array in members.items():
            _write_member(archive, f"{name}.npy", array, step)


def _members(fabric: Fabric) -> Mapping[str, NDArray[Any]]:
    content = {
        "plan": _bytes_array(serial.dump(fabric.plan)),
        **{f"kinds_{name}": getattr(fabric.kinds, name) for name in _KINDS},
        **{name: getattr(fabric, name) for name in _COLUMNS},
    }
    head = {
        "format": FORMAT,
        "version": VERSION,
        "system": fabric.plan.system,
        "sources_hash": fabric.sources_hash,
        "content_hash": content_hash(content, fabric.sources_hash),
    }
    return {"head": _bytes_array(json.dumps(head).encode()), **content}


def content_hash(members: Mapping[str, NDArray[Any]], sources_hash: str) -> str:
    """SHA-256 over the names, types and bytes of all members but the head, in order of name, and what they came of."""
    digest = hashlib.sha256(sources_hash.encode())
    for name in sorted(members.keys() - {"head"}):
        array = np.ascontiguousarray(members[name])
        digest.update(f"\n{name} {array.dtype.str} {len(array)}\n".encode())
        digest.update(array.view(np.uint8).data)
    return digest.hexdigest()


def _bytes_array(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8)


def _write_member(archive: zipfile.ZipFile, name: str, array: NDArray[Any], step: Step) -> None:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    info = zipfile.ZipInfo(name, _DATE)
    assert archive.fp is not None
    before = archive.fp.tell() + _LOCAL_HEADER.size + len(name.encode()) + _ZIP64_EXTRA + 4
    info.extra = struct.pack("<HH", _PADDING_ID, -before % _ALIGNMENT) + bytes(-before % _ALIGNMENT)
    with archive.open(info, "w", force_zip64=True) as out:
        out.write(header.getvalue())
        data = np.ascontiguousarray(array).view(np.uint8).data
        for start in range(0, len(data), _PIECE):
            out.write(data[start : start + _PIECE])
            step(len(data[start : start + _PIECE]))


# ---- reading ----------------------------------------------------------------------------------------------------


def load(path: str | PathLike[str], *, check: bool = False) -> Fabric:
    """Return the fabric of a file. Columns are mapped: what is not looked at is not read.

    `check` reads everything and compares the checksums that the file holds.

    Raises:
        FabricFileError: the file is not a fabric, is damaged or of a newer version.
        OSError: it cannot be opened.
    """
    name = Path(path).name
    try:
        arrays = _map_members(Path(path), check=check)
    except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OverflowError) as error:
        raise FabricFileError(f"`{name}` is no fabric file or is cut short: {error}") from error
    head = _read_head(name, arrays)
    missing = [key for key in ("plan", *_COLUMNS, *(f"kinds_{k}" for k in _KINDS)) if key not in arrays]
    if missing:
        raise FabricFileError(f"`{name}` is damaged: it has no `{missing[0]}`")
    sources = head.get("sources_hash", "")
    if int(head["version"]) > 1 and head.get("content_hash") != content_hash(arrays, str(sources)):
        raise FabricFileError(f"`{name}` is damaged: its content is not what its head has the hash of")
    try:
        plan = serial.load(arrays["plan"].tobytes())
    except ValueError as error:
        raise FabricFileError(f"`{name}` is damaged: {error}") from error
    if head.get("system", plan.system) != plan.system:
        raise FabricFileError(f"`{name}` is damaged: its head and its plan name two systems")
    kinds = CableKinds(*(arrays[f"kinds_{key}"] for key in _KINDS))
    columns = {key: arrays[key] for key in _COLUMNS}
    fabric = Fabric(plan, **columns, kinds=kinds, sources_hash=str(sources))
    try:
        verify_fabric(fabric)
    except BrokenFabricError as error:
        raise FabricFileError(f"`{name}` is damaged: {error}") from error
    return fabric


def _read_head(name: str, arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, Any]:
    try:
        head = json.loads(arrays["head"].tobytes())
        ours, version = head["format"] == FORMAT, int(head["version"])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise FabricFileError(f"`{name}` is no fabric file: it has no head that says so") from error
    if not ours:
        raise FabricFileError(f"`{name}` is no fabric file: its head says `{head['format']}`")
    if version > VERSION:
        raise FabricFileError(f"`{name}` is of version {version}; this program reads up to version {VERSION}")
    return dict(head)


def _map_members(path: Path, *, check: bool) -> dict[str, NDArray[Any]]:
    size = path.stat().st_size
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        whole = np.memmap(path, dtype=np.uint8, mode="r") if size else None
        if whole is None:
            raise zipfile.BadZipFile("it is empty")
        names = [info.filename for info in archive.infolist()]
        if len(set(names)) != len(names):
            raise zipfile.BadZipFile("it has two members of one name")
        return {
            info.filename.removesuffix(".npy"): _map_member(whole, info, check=check) for info in archive.infolist()
        }


def _map_member(whole: NDArray[np.uint8], info: zipfile.ZipInfo, *, check: bool) -> NDArray[Any]:
    local = bytes(whole[info.header_offset : info.header_offset + _LOCAL_HEADER.size])
    signature, _, compression, name_length, extra_length = _LOCAL_HEADER.unpack(local)
    start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    data = whole[start : start + info.file_size]
    if compression or info.compress_type:
        raise zipfile.BadZipFile(f"`{info.filename}` is compressed, so it cannot be mapped")
    if signature != b"PK\x03\x04" or len(data) != info.file_size:
        raise zipfile.BadZipFile(f"`{info.filename}` is not where it should be")
    if (check or info.filename in _ALWAYS_CHECKED) and crc32(data.data) != info.CRC:
        raise zipfile.BadZipFile(f"the checksum of `{info.filename}` is wrong")
    return _array_of(info.filename, data)


def _array_of(name: str, data: NDArray[np.uint8]) -> NDArray[Any]:
    """Return the array of a `.npy` file in memory, without a copy; read-only."""
    head = BytesIO(bytes(data[: min(len(data), 1 << 16)]))
    try:
        if np.lib.format.read_magic(head) != (1, 0):
            raise ValueError("another version of the format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(head)
        body = data[head.tell() :]
        if dtype.hasobject or len(shape) != 1 or len(body) != shape[0] * dtype.itemsize:
            raise ValueError("its size is not the one it states")
        array: NDArray[Any] = np.asarray(body).view(dtype)
    except ValueError as error:
        raise zipfile.BadZipFile(f"`{name}` holds no array of one dimension: {error}") from error
    return array
