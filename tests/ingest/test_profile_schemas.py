"""Foreign keys of schemas as people build them, found without reading a declaration.

Every id is a number from 1 on, so that each column of ids holds values of every key; names have to
tell them apart. Lookup tables are tiny, some columns are filled in part, some links are named by a
role, some by an abbreviation, and names of things are written out beside the links to them.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sightline.graph.vocabulary import default_prefixes
from sightline.ingest.discover import discover
from sightline.ingest.profile.profile import profile
from sightline.ingest.profile.relate import ends_and_links

#: Table, records, columns; an empty line ends a table. ``>`` names the table whose key a column
#: refers to, ``?`` leaves cells empty, ``+`` is a key of its own; others hold what the colon says.
NORTHWIND = """
Customers 91 CustomerID+code CompanyName:name ContactName:name ContactTitle:few City:few
  Country:few

Employees 9 EmployeeID+ LastName:name FirstName:name Title:few BirthDate:date
  ReportsTo>Employees?

Categories 8 CategoryID+ CategoryName:name Description:prose

Suppliers 29 SupplierID+ CompanyName:name City:few

Shippers 3 ShipperID+ CompanyName:name Phone:code

Products 77 ProductID+ ProductName:name SupplierID>Suppliers CategoryID>Categories
  UnitPrice:real UnitsInStock:count Discontinued:flag

Orders 400 OrderID+ CustomerID>Customers EmployeeID>Employees OrderDate:date ShipVia>Shippers
  Freight:real ShipName:name ShipCity:few

OrderDetails 900 OrderID>Orders ProductID>Products UnitPrice:real Quantity:count Discount:real

Region 4 RegionID+ RegionDescription:name

Territories 53 TerritoryID+ TerritoryDescription:name RegionID>Region

EmployeeTerritories 49 EmployeeID>Employees TerritoryID>Territories
"""
SAKILA = """
actor 200 actor_id+ first_name:name last_name:name last_update:date

address 300 address_id+ address:name city_id>city postal_code:count last_update:date

category 16 category_id+ name:name last_update:date

city 150 city_id+ city:name country_id>country last_update:date

country 60 country_id+ country:name last_update:date

customer 250 customer_id+ store_id>store first_name:name last_name:name address_id>address
  active:flag

film 500 film_id+ title:name language_id>language original_language_id>language?
  rental_duration:small rental_rate:real length:count

film_actor 900 actor_id>actor film_id>film last_update:date

film_category 500 film_id>film category_id>category last_update:date

inventory 900 inventory_id+ film_id>film store_id>store last_update:date

language 6 language_id+ name:name last_update:date

payment 900 payment_id+ customer_id>customer staff_id>staff rental_id>rental? amount:real
  payment_date:date

rental 900 rental_id+ rental_date:date inventory_id>inventory customer_id>customer
  staff_id>staff

staff 20 staff_id+ first_name:name last_name:name address_id>address store_id>store
  username:code

store 2 store_id+ manager_staff_id>staff address_id>address last_update:date
"""
ADVENTURE = """
Person 500 BusinessEntityID+ FirstName:name LastName:name EmailPromotion:small ModifiedDate:date

Employee 120 BusinessEntityID>Person NationalIDNumber:code JobTitle:few HireDate:date
  VacationHours:count

Department 16 DepartmentID+ Name:name GroupName:few

Shift 3 ShiftID+ Name:name

EmployeeDepartmentHistory 200 BusinessEntityID>Person DepartmentID>Department ShiftID>Shift
  StartDate:date EndDate:date

Address 400 AddressID+ AddressLine1:name City:few StateProvinceID>StateProvince PostalCode:count

StateProvince 80 StateProvinceID+ Name:name CountryRegionCode>CountryRegion
  TerritoryID>SalesTerritory

CountryRegion 40 CountryRegionCode+code Name:name

SalesTerritory 10 TerritoryID+ Name:name SalesYTD:real

ProductCategory 4 ProductCategoryID+ Name:name

ProductSubcategory 37 ProductSubcategoryID+ ProductCategoryID>ProductCategory Name:name

ProductModel 120 ProductModelID+ Name:name

Product 500 ProductID+ Name:name ProductNumber:code Color:few SafetyStockLevel:count
  ProductSubcategoryID>ProductSubcategory? ProductModelID>ProductModel?

ShipMethod 5 ShipMethodID+ Name:name

SalesOrderHeader 800 SalesOrderID+ OrderDate:date Status:small SalesPersonID>Person?
  TerritoryID>SalesTerritory BillToAddressID>Address ShipToAddressID>Address
  ShipMethodID>ShipMethod SubTotal:real

SalesOrderDetail 1500 SalesOrderID>SalesOrderHeader SalesOrderDetailID+ OrderQty:small
  ProductID>Product UnitPrice:real
"""
HOSPITAL = """
dim_patient 300 patient_key+ patient_name:name gender:few birth_date:date

dim_doctor 40 doctor_key+ doctor_name:name dept_id>departments

departments 12 id+ name:name head_doctor_id>dim_doctor

wards 30 ward_no+ department_id>departments beds:small

fact_visits 900 visit_key+ patient_key>dim_patient doctor_key>dim_doctor
  referring_doctor_key>dim_doctor? ward_no>wards visit_date:date cost:real patient_name:few

users 60 id+ login:code full_name:name

notes 400 id+ visit_key>fact_visits created_by>users parent_note_id>notes? text:prose
  severity:small
"""
RATINGS = """
movies 300 movieId+ title:name year:year

ratings 2000 userId:many movieId>movies rating:real timestamp:stamp

tags 500 userId:many movieId>movies tag:few timestamp:stamp

links 300 movieId>movies imdbId:code tmdbId:code
"""
GTFS = """
agency 2 agency_id+code agency_name:name

stops 120 stop_id+code stop_name:name stop_lat:real stop_lon:real parent_station>stops?

routes 20 route_id+code agency_id>agency route_short_name:code route_type:small

calendar 5 service_id+code monday:flag start_date:date

trips 200 route_id>routes service_id>calendar trip_id+code trip_headsign:few direction_id:flag

stop_times 1500 trip_id>trips arrival_time:time stop_id>stops stop_sequence:small

transfers 40 from_stop_id>stops to_stop_id>stops transfer_type:small
"""
SCHEMAS = {
    "northwind": NORTHWIND,
    "sakila": SAKILA,
    "adventure works": ADVENTURE,
    "hospital": HOSPITAL,
    "ratings": RATINGS,
    "gtfs": GTFS,
}


def written(schema: str, folder: Path) -> set[tuple[str, str, str]]:
    """Write the tables of a schema; table, column and table referred to of its links."""
    rng = random.Random(7)
    tables = [entry.split() for entry in schema.strip().split("\n\n")]
    keys: dict[str, list[str]] = {}
    for name, count, *columns in tables:
        own = next((c for c in columns if "+" in c or ">" in c), "")
        code = own.endswith("+code")
        keys[name] = [
            f"{name[:2].upper()}{i:03}" if code else f"{i}" for i in range(1, int(count) + 1)
        ]
    links = set()
    for name, count, *columns in tables:
        cells = []
        for column in columns:
            head, _, rest = column.partition(">")
            if rest:
                target = rest.rstrip("?")
                links.add((name.lower(), head, target.lower()))
                alone = head == columns[0].partition(">")[0] and int(count) <= len(keys[target])
                several = sum(">" in c for c in columns) > 1
                if alone and not several:
                    values = rng.sample(keys[target], int(count))
                else:
                    values = rng.choices(keys[target], k=int(count))
                if rest.endswith("?"):
                    values = [v if rng.random() < 0.7 else "" for v in values]
            elif "+" in column:
                head = column.partition("+")[0]
                values = keys[name]
            else:
                head, _, kind = column.partition(":")
                values = [value(kind, i, rng) for i in range(int(count))]
            cells.append((head, values))
        rows = zip(*(values for _, values in cells))
        lines = [",".join(head for head, _ in cells), *map(",".join, rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return links


def value(kind: str, i: int, rng: random.Random) -> str:
    number = rng.randrange(1, 400)
    return {
        "name": f"{rng.choice('ABCDEFG')}{number} {'xyz'[i % 3]}{i}",
        "few": f"kind {number % 5}",
        "prose": f"a long text about number {number} that goes on for a while with {i} and more",
        "code": f"c{i}{number:03}",
        "date": f"20{number % 20 + 10}-0{number % 9 + 1}-1{number % 9}",
        "time": f"1{number % 9}:0{number % 6}:00",
        "real": f"{number}.{number % 89 + 10}",
        "count": f"{number}",
        "small": f"{number % 5 + 1}",
        "many": f"{number}",
        "flag": f"{number % 2}",
        "year": f"{1950 + number % 60}",
        "stamp": f"{1_100_000_000 + number * 77 + i}",
    }[kind]


@pytest.mark.parametrize("name", SCHEMAS)
def test_foreign_keys_are_found_and_few_are_made_up(tmp_path: Path, name: str) -> None:
    wanted = written(SCHEMAS[name], tmp_path)
    tables = profile(discover([tmp_path]), default_prefixes()).tables
    found = set(ends_and_links(tables))
    missing, wrong = wanted - found, found - wanted
    assert len(missing) <= 0.1 * len(wanted), f"not found: {sorted(missing)}"
    assert len(wrong) <= 0.05 * len(found), f"made up: {sorted(wrong)}"
