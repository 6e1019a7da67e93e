"""Foreign keys of schemas as people build them, found without reading a declaration.

Every id is a number from 1 on, so that each column of ids holds values of every key; names have to
tell them apart. Lookup tables are tiny, some columns are filled in part, some links are named by a
role, some by an abbreviation, and names of things are written out beside the links to them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sightline.graph.vocabulary import default_prefixes
from sightline.ingest.profile.profile import profile
from tests.ingest.conftest import discover, ends_and_links

#: Table, records, columns; an empty line ends a table. ``>`` names the table whose key a column
#: refers to, or several with ``&`` between them; ``?`` leaves cells empty, ``!`` repeats none,
#: ``+`` is a key of its own and ``*`` a part of one; others hold what the colon says.
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
WORLD = """
city 700 ID+ Name:name CountryCode>country District:name Population:count

country 120 Code+code Name:name Continent:few Region:few SurfaceArea:real IndepYear:year?
  Population:count LifeExpectancy:real GNP:real LocalName:name GovernmentForm:few
  HeadOfState:name Capital>city! Code2:code

countrylanguage 400 CountryCode>country* Language:name* IsOfficial:few Percentage:real
"""
LAHMAN = """
People 600 playerID+code birthYear:year? birthMonth:small? birthCountry:few nameFirst:name
  nameLast:name weight:count height:count bats:few throws:few debut:date retroID:code
  bbrefID:code

TeamsFranchises 40 franchID+code franchName:name active:few NAassoc:few?

Teams 500 yearID:year* lgID:few* teamID:few* franchID>TeamsFranchises divID:few? Rank:small
  G:count W:count L:count name:few park:few attendance:count

Schools 150 schoolID+code name_full:name city:name state:few country:few

Parks 80 park.key+code park.name:name park.alias:name? city:name state:few country:few

Batting 700 playerID>People* yearID&lgID&teamID>Teams* stint:small G:count AB:count R:count
  H:count HR:small

Salaries 700 yearID&lgID&teamID>Teams* playerID>People* salary:count

Managers 600 playerID>People* yearID&lgID&teamID>Teams* inseason:small G:count W:count L:count
  plyrMgr:few

AllstarFull 600 playerID>People* gameNum:flag gameID:code yearID&lgID&teamID>Teams GP:flag
  startingPos:small?

HallOfFame 400 playerID>People* yearid:year* votedBy:few ballots:count needed:count votes:count
  inducted:few category:few

CollegePlaying 700 playerID>People* schoolID>Schools* yearID:year*

AwardsPlayers 700 playerID>People* awardID:few* yearID:year* lgID:few tie:few? notes:few?

HomeGames 700 year.key&league.key&team.key>Teams* park.key>Parks* span.first:date span.last:date
  games:count openings:count attendance:count
"""
DOCTORS = """
physician 30 employeeid+ name:name position:few ssn:count

department 6 departmentid+ name:name head>physician!

affiliated_with 50 physician>physician* department>department* primaryaffiliation:few

procedures 40 code+ name:name cost:real

trained_in 100 physician>physician* treatment>procedures* certificationdate:date
  certificationexpires:date

patient 200 ssn+100000001 name:name address:name phone:code insuranceid:count pcp>physician

nurse 25 employeeid+101 name:name position:few registered:few ssn:count

appointment 500 appointmentid+13216584 patient>patient prepnurse>nurse? physician>physician
  starto:stamp endo:stamp examinationroom:few

medication 30 code+ name:name brand:few description:prose

prescribes 400 physician>physician* patient>patient* medication>medication* date:stamp*
  appointment>appointment? dose:small

block 16 blockfloor:four* blockcode:four*

room 90 roomnumber+101 roomtype:few blockfloor&blockcode>block unavailable:few

on_call 120 nurse>nurse* blockfloor&blockcode>block* oncallstart:stamp oncallend:stamp

stay 300 stayid+3215 patient>patient room>room start_time:stamp end_time:stamp

undergoes 400 patient>patient* procedure>procedures* stay>stay* date:stamp* physician>physician
  assistingnurse>nurse?
"""
UNIVERSITY = """
classroom 30 building:few* room_number:count* capacity:count

department 7 dept_name+code building:few budget:real

course 100 course_id+code title:name dept_name>department credits:small

instructor 50 ID+code name:name dept_name>department salary:real

section 200 course_id>course* sec_id:four* semester:few* year:year*
  building&room_number>classroom time_slot_id>time_slot

teaches 180 ID>instructor* course_id&sec_id&semester&year>section*

student 600 ID+code name:name dept_name>department tot_cred:count

takes 700 ID>student* course_id&sec_id&semester&year>section* grade:few

advisor 500 s_ID>student* i_ID>instructor

time_slot 12 time_slot_id+code days:few start_hr:small start_min:count end_hr:small
  end_min:count

prereq 60 course_id>course* prereq_id>course*
"""
MONDIAL = """
continent 5 Name+code Area:count

country 120 Name:name Code+code Population:count Area:count

province 500 Name:place* Country>country* Population:count Area:count

city 700 Name:place* Province&Country>province* Population:count? Longitude:real? Latitude:real?

borders 250 Country1>country* Country2>country* Length:real

encompasses 140 Country>country* Continent>continent* Percentage:small

economy 120 Country>country! GDP:real? Agriculture:real? Inflation:real?

language 250 Country>country* Name:name* Percentage:small

organization 90 Abbreviation+code Name:name City&Province&Country>city Established:date?

ismember 700 Country>country* Organization>organization* Type:few

sea 40 Name+code Depth:count

lake 100 Name+code Area:real Depth:count?

river 150 Name+code River>river? Lake>lake? Sea>sea? Length:count?

geo_river 500 River>river* Province&Country>province*

geo_lake 200 Lake>lake* Province&Country>province*

airport 500 IATACode+code Name:name City&Province&Country>city Elevation:count?
"""
GITEA = """
user 200 id+ lower_name:code name:code full_name:name? email:code created_unix:count
  is_admin:flag

repository 150 id+ owner_id>user owner_name:code lower_name:code name:code description:prose?
  is_fork:flag fork_id>repository? num_stars:count

issue 700 id+ repo_id>repository index:count poster_id>user milestone_id>milestone? name:name
  content:prose is_closed:flag is_pull:flag

comment 700 id+ type:small poster_id>user issue_id>issue content:prose created_unix:count

label 120 id+ repo_id>repository name:few color:code

issue_label 700 id+ issue_id>issue label_id>label

milestone 80 id+ repo_id>repository name:name content:prose? num_issues:count

issue_assignees 500 id+ assignee_id>user issue_id>issue

star 600 id+ uid>user repo_id>repository created_unix:count

watch 600 id+ user_id>user repo_id>repository mode:small

follow 300 id+ user_id>user follow_id>user

team 40 id+ org_id>user lower_name:code name:name authorize:small

team_user 150 id+ org_id>user team_id>team uid>user

pull_request 250 id+ issue_id>issue! index:count head_repo_id>repository base_repo_id>repository
  head_branch:few merger_id>user? has_merged:flag

release 200 id+ repo_id>repository publisher_id>user tag_name:code title:name note:prose?

access_token 100 id+ uid>user name:few token_hash:code
"""
SCHEMAS = {
    "northwind": NORTHWIND,
    "sakila": SAKILA,
    "adventure works": ADVENTURE,
    "hospital": HOSPITAL,
    "ratings": RATINGS,
    "gtfs": GTFS,
    "world": WORLD,
    "lahman": LAHMAN,
    "doctors": DOCTORS,
    "university": UNIVERSITY,
    "mondial": MONDIAL,
    "gitea": GITEA,
}


Links = set[tuple[str, frozenset[str], str]]


def written(schema: str, folder: Path) -> Links:
    """Write the tables of a schema; table, columns and table referred to of its links."""
    rng = random.Random(7)
    tables = [(name, int(count), columns) for name, count, *columns in _tables(schema)]
    keys = {}
    for name, count, columns in tables:
        own = next((c.partition("+")[2] for c in columns if "+" in c), None)
        first = next((c for c in columns if ">" in c), None)
        if own is not None or first:
            code, start = own == "code", int(own) if own and own.isdigit() else 1
            numbers = range(start, start + count)
            keys[name] = [(f"{name[:2].upper()}{i:03}" if code else f"{i}",) for i in numbers]
    links: Links = set()
    for name, count, columns in tables:
        cells: dict[str, Sequence[str]] = {}
        key: list[str] = []
        for token in columns:
            column, is_key = token.rstrip("*?!"), token.endswith("*")
            head, _, target = column.partition(">")
            heads = head.split("&")
            if target:
                links.add((name.lower(), frozenset(heads), target.lower()))
                lone = column == columns[0] and sum(">" in c for c in columns) == 1 and not is_key
                alone = "!" in token or (lone and count <= len(keys[target]))
                pick = rng.sample if alone else rng.choices
                rows = pick(keys[target], k=count)
                if "?" in token:
                    rows = [row if rng.random() < 0.7 else ("",) * len(heads) for row in rows]
                cells |= dict(zip(heads, zip(*rows)))
            elif "+" in column:
                heads = [column.partition("+")[0]]
                cells[heads[0]] = [number for (number,) in keys[name]]
            else:
                head, _, kind = column.partition(":")
                heads = [head]
                empty = 0.4 if "?" in token else 0
                cells[head] = [
                    "" if empty and rng.random() < empty else value(kind, i, rng)
                    for i in range(count)
                ]
            key += heads if is_key else []
        records = list(zip(*cells.values()))
        if key:
            places = [list(cells).index(part) for part in key]
            named = {tuple(record[place] for place in places): record for record in records}
            records, keys[name] = list(named.values()), list(named)
        lines = [",".join(cells), *map(",".join, records)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return links


def _tables(schema: str) -> Iterator[list[str]]:
    return (entry.split() for entry in schema.strip().split("\n\n"))


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
        "place": f"place {number}",
        "four": f"{rng.randrange(4) + 1}",
        "many": f"{number}",
        "flag": f"{number % 2}",
        "year": f"{1950 + number % 60}",
        "stamp": f"{1_100_000_000 + number * 77 + i}",
    }[kind]


@pytest.mark.parametrize("name", SCHEMAS)
def test_foreign_keys_are_found_and_few_are_made_up(tmp_path: Path, name: str) -> None:
    wanted = written(SCHEMAS[name], tmp_path)
    tables = profile(discover([tmp_path]), default_prefixes()).tables
    found = {
        (table.lower(), frozenset(columns.split("+")), target.lower())
        for table, columns, target in ends_and_links(tables)
    }
    missing = wanted - found
    wrong = {link for link in found - wanted if not _follows(link, wanted)}
    assert len(missing) <= 0.1 * len(wanted), f"not found: {sorted(missing, key=str)}"
    assert len(wrong) <= 0.05 * len(found), f"made up: {sorted(wrong, key=str)}"


def _follows(link: tuple[str, frozenset[str], str], wanted: Links) -> bool:
    """A part of what refers to a table together refers to what that table's own part does."""
    table, columns, target = link
    over = {x for t, more, x in wanted if t == table and columns <= more}
    return any(x == target for t, _, x in wanted if t in over) or any(
        _follows((t, more, target), wanted) for t, more, _ in wanted if t in over
    )
