"""What callers send: the models by which requests are checked and described (OpenAPI), each rule once."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from digits.limits import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_REQUEST_ID_LENGTH
from rest_bridge.fields import (
    MAX_INT64,
    Base64,
    Orientation,
    Promotion,
    Streamed,
    Upload,
    Whole,
    text,
)


def _strict(**example: str | int) -> ConfigDict:
    """Known fields alone, each of its own type; whoever sends no JSON reads the example."""
    return ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [{**example}]})


class Body(BaseModel):
    """Names a file below the data folder; as a form, it may hold the file instead."""

    model_config = _strict()
    path_field: ClassVar[str]
    upload_field: ClassVar[str]

    @model_validator(mode="after")
    def _has_one_file(self) -> Self:
        given = self.model_fields_set & {self.path_field, self.upload_field}
        if len(given) != 1:
            names = {"path": self.path_field, "upload": self.upload_field}
            raise PydanticCustomError("two_files" if given else "no_file", "not one file", names)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core))
        if cls.upload_field in cls.model_fields:
            schema["oneOf"] = [{"required": [cls.path_field]}, {"required": [cls.upload_field]}]
        else:
            schema["required"] = [cls.path_field]
        return schema


class TrainBody(Body):
    """What to train on, and how."""

    model_config = _strict(images_batch_path="mnist.npz")
    path_field = "images_batch_path"
    upload_field = "images_batch"

    images_batch_path: str = text(
        "Path of a batch below the data folder, or of shards: shards/part-*.npz; or their address in HDFS."
    )
    recipe: str = text('"fast" (the default), "standard" or "best".')
    seed: Whole = Field(0, ge=-MAX_INT64 - 1, le=MAX_INT64, description="Seed of the training.")
    request_id: str = text("Two calls with the same one are one job.", max_length=MAX_REQUEST_ID_LENGTH)
    promotion: Promotion = Field("IF_BETTER", description="Whether the model may serve.")
    base_model_version: str = text('Version to go on from, or "serving"; a new network unless given.')
    orientation: Orientation = Field("AS_IS", description="Whether rows and columns are swapped.")


class TrainForm(TrainBody):
    """What to train on, which may be an uploaded file, and how."""

    images_batch: Streamed = Field(
        default_factory=io.BytesIO, description="A batch of images, as an npz, CSV or Parquet file."
    )


class ClassifyBody(Body):
    """Which picture to classify, and by which model."""

    model_config = _strict(image_path="test/data/n5.png")
    path_field = "image_path"
    upload_field = "image"

    image_path: str = text("Path of a picture below the data folder.")
    model_version: str = text("Version to ask; the serving one unless given.")
    minimum_version: str = text("Oldest version that may answer; 503 if an older one serves.")
    preview: bool = Field(False, description="Whether ?details=1 shows what the network saw.")


class ClassifyForm(ClassifyBody):
    """Which picture to classify, which may be an uploaded one, and by which model."""

    image: Upload = Field(default_factory=bytes, description="A picture's file.")


class NoBody(BaseModel):
    """Nothing: the path says it all."""

    model_config = _strict()


class RollbackBody(NoBody):
    """What to roll back from; without a body, whatever serves."""

    model_config = _strict(from_version="v3")

    from_version: str = text("Roll back only if this version serves; repeating the call changes nothing.")


class Query(BaseModel):
    """What an address may say after "?"."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Query):
    """Which part of a list to answer."""

    page_size: Whole = Field(
        0, ge=0, le=MAX_PAGE_SIZE, description=f"The most to return; 0 means {DEFAULT_PAGE_SIZE}."
    )
    page_token: str = Field("", description="The answer's next_page_token.")


class FeedbackBody(BaseModel):
    """What a picture shows, named by its answer or given as the pixels of its preview."""

    model_config = _strict(prediction_id="4f1c09d2a7b8e653", label=5)

    prediction_id: str = text("The answer's prediction_id.")
    pixels: Base64 = Field(default_factory=bytes, description="The preview's pixels, 784 bytes in base64.")
    label: Whole = Field(ge=0, le=9, description="What it shows.")


class Pair(Query):
    """Which two versions to compare."""

    first_version: str = Field(min_length=1, description="A version.")
    second_version: str = Field(min_length=1, description="Another.")


class Details(Query):
    """How much to answer."""

    details: bool = Field(False, description="1 answers the whole ClassifyResponse.")


@dataclass(frozen=True)
class Forms:
    """The two ways to send one body."""

    json: type[Body]
    multipart: type[Body]


TRAIN = Forms(TrainBody, TrainForm)
CLASSIFY = Forms(ClassifyBody, ClassifyForm)
