"""FastAPI and SQLAlchemy's asyncio the way their documentation puts them together; Debian 12 has FastAPI 0.92, SQLAlchemy 1.4."""

import os
import uuid
from datetime import date, datetime
from typing import Any, Literal, Optional

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, Field
from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import declarative_base, sessionmaker

SECRET_KEY = os.environ["SECRET_KEY"]
engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"))
open_session = sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)
Base = declarative_base()


class Patient(Base):
    __tablename__ = "patients"
    __mapper_args__ = {"eager_defaults": True}
    id = Column(UUID(as_uuid=True), primary_key=True, default=uuid.uuid4)
    mrn = Column(Text, server_default=text("nextval('mrn')"))
    version = Column(Integer, default=1)
    status = Column(Text, default="active")
    restricted = Column(Boolean, default=False)
    name = Column(JSON)
    otherNames = Column(JSON)
    birthDate = Column(Date)
    deathDate = Column(Date)
    sex = Column(Text)
    identifiers = Column(JSON)
    telecom = Column(JSON)
    addresses = Column(JSON)
    contacts = Column(JSON)
    language = Column(Text)
    maritalStatus = Column(Text)
    race = Column(Text)
    ethnicity = Column(Text)
    createdAt = Column(DateTime(timezone=True), server_default=func.now())
    updatedAt = Column(DateTime(timezone=True), server_default=func.now(), onupdate=func.now())


class HumanName(BaseModel):
    given: list[str] = Field(min_items=1)
    family: str
    prefix: Optional[str] = None
    suffix: Optional[str] = None


class OtherName(BaseModel):
    use: str
    given: list[str] = []
    family: Optional[str] = None


class Identifier(BaseModel):
    system: str
    value: str


class Telecom(BaseModel):
    system: Literal["phone", "email"]
    value: str
    use: Optional[Literal["home", "work", "mobile"]] = None


class Address(BaseModel):
    line: list[str] = []
    city: Optional[str] = None
    state: Optional[str] = None
    postalCode: Optional[str] = None
    country: Optional[str] = None


class Contact(BaseModel):
    name: HumanName
    relationship: Optional[str] = None
    telecom: list[Telecom] = []


class NewChart(BaseModel):
    name: HumanName
    otherNames: list[OtherName] = []
    birthDate: date
    deathDate: Optional[date] = None
    sex: Literal["male", "female", "other", "unknown"]
    identifiers: list[Identifier] = []
    telecom: list[Telecom] = []
    addresses: list[Address] = []
    contacts: list[Contact] = []
    language: Optional[str] = None
    maritalStatus: Optional[str] = None
    race: Optional[str] = None
    ethnicity: Optional[str] = None


class ChartPatch(NewChart):
    name: Optional[HumanName]
    birthDate: Optional[date]
    sex: Optional[Literal["male", "female", "other", "unknown"]]


class Chart(NewChart):
    id: uuid.UUID
    mrn: str
    version: int
    status: str
    restricted: bool
    createdAt: datetime
    updatedAt: datetime

    class Config:
        orm_mode = True


async def get_session():
    async with open_session() as session:
        yield session


async def get_user(token: str = Depends(OAuth2PasswordBearer(tokenUrl="token"))) -> dict[str, Any]:
    try:
        user = jwt.decode(token, SECRET_KEY, algorithms=["HS256"], audience="caregate")
    except jwt.PyJWTError:
        raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    if "clinician" not in user["roles"]:
        raise HTTPException(403, "Forbidden")
    return user


app = FastAPI(dependencies=[Depends(get_user)])


async def get_patient(id: uuid.UUID, session: AsyncSession = Depends(get_session)) -> Patient:
    patient = await session.get(Patient, id)
    if patient is None:
        raise HTTPException(404, "Patient not found")
    return patient


@app.get("/api/v1/patients/{id}", response_model=Chart)
async def read(patient: Patient = Depends(get_patient)):
    return patient


@app.post("/api/v1/patients", response_model=Chart, status_code=201)
async def create(chart: NewChart, session: AsyncSession = Depends(get_session)):
    patient = Patient(**chart.dict())
    session.add(patient)
    await session.commit()
    return patient


@app.patch("/api/v1/patients/{id}", response_model=Chart)
async def change(
    patch: ChartPatch, patient: Patient = Depends(get_patient), session: AsyncSession = Depends(get_session)
):
    for name, value in patch.dict(exclude_unset=True).items():
        setattr(patient, name, value)
    patient.version += 1
    await session.commit()
    return patient
